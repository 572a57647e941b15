import type { Dispatcher } from 'undici'

export interface HttpAnswer {
  status: number
  contentType: string | undefined
  /** Of an answer of 200; of any other nobody reads it. */
  text: string
}

/**
 * Makes one call and takes its answer whole. By undici's `dispatch`: making a stream of each answer, as its `request` does, is a good
 * part of what a miss costs.
 * @param onHead called when the answer begins
 * @throws what undici throws; the signal's reason when it is aborted
 */
export async function callHttp (dispatcher: Dispatcher, options: Dispatcher.DispatchOptions, signal: AbortSignal, onHead?: () => void): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    let call: Dispatcher.DispatchController | undefined
    let over = false
    let status = 0
    let contentType: string | undefined
    const chunks: Buffer[] = []
    let unread = 0
    let draining: NodeJS.Timeout | undefined
    const end = (error?: Error): void => {
      over = true
      if (error === undefined) resolve({ status, contentType, text: decoder.decode(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)) })
      else reject(error)
      // After a failure, other calls of the same request may follow with the same signal.
      if (error !== undefined) signal.removeEventListener('abort', abort)
    }
    const finish = (error?: Error): void => {
      clearTimeout(draining)
      if (!over) end(error)
    }
    const abort = (): void => {
      if (over) return
      end(signal.reason as Error)
      call?.abort(signal.reason as Error)
    }

    if (signal.aborted) return abort()
    // The signal is that of one request and goes with it: after an answer there is nothing to take the listener away for.
    signal.addEventListener('abort', abort)
    dispatcher.dispatch(options, {
      onRequestStart (controller) {
        call = controller
        // The deadline has come before there was a connection.
        if (over) controller.abort(signal.reason as Error)
      },
      onResponseStart (_controller, statusCode, headers) {
        status = statusCode
        onHead?.()
        const type = headers['content-type']
        contentType = Array.isArray(type) ? type[0] : type
        if (status < 200 || status === 200) return
        // Its status is all that is wanted of it. What else comes is let pass, if it is little, for the sake of the connection.
        end()
        draining = setTimeout(() => { call?.abort(needless) }, drainPatience)
      },
      onResponseData (_controller, chunk) {
        if (status === 200) chunks.push(chunk)
        else if ((unread += chunk.length) > mostDrained) call?.abort(needless)
      },
      onResponseEnd: () => { finish() },
      onResponseError: (_controller, error) => { finish(error) }
    })
  })
}

/** Of an answer that nobody reads, in bytes and in ms. */
const mostDrained = 64 * 1024
const drainPatience = 1_000
const needless = new Error('nobody reads the rest of it')

/** Leaves out a byte order mark, which JSON knows none of. */
const decoder = new TextDecoder()
