import type { Dispatcher } from 'undici'

export interface HttpAnswer {
  status: number
  contentType: string | undefined
  /** The body of an answer with status 200; empty for any other status. */
  text: string
}

/**
 * Makes one call and returns its whole answer. It uses undici's `dispatch`, because undici's `request` makes a stream of each answer,
 * which is a good part of the cost of a cache miss.
 * @param onHead called when the answer begins
 * @throws the error of undici; the signal's reason if the signal is aborted
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
      // After a failure, the same request may make more calls with the same signal.
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
    // The signal belongs to one request and ends with it, so that the listener need not be removed after an answer.
    signal.addEventListener('abort', abort)
    dispatcher.dispatch(options, {
      onRequestStart (controller) {
        call = controller
        // The deadline passed before there was a connection.
        if (over) controller.abort(signal.reason as Error)
      },
      onResponseStart (_controller, statusCode, headers) {
        status = statusCode
        onHead?.()
        const type = headers['content-type']
        contentType = Array.isArray(type) ? type[0] : type
        if (status < 200 || status === 200) return
        // The caller needs only the status. Reading the rest of the answer, if it is short, keeps the connection usable.
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

/** The limits for reading the rest of an answer that nobody needs, in bytes and in ms. */
const mostDrained = 64 * 1024
const drainPatience = 1_000
const needless = new Error('nobody reads the rest of it')

/** Decodes UTF-8 and removes a byte order mark, which is not allowed in JSON. */
const decoder = new TextDecoder()
