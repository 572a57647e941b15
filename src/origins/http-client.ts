import type { Socket } from 'node:net'
import { Agent, buildConnector, Client, type Dispatcher } from 'undici'
import { callHttp, type HttpAnswer } from './http-call.ts'

/** More connections than an origin's bulkhead, so that a connection is never what a call waits for. */
const connections = 1024
/** Answers of at most 4 MiB. */
const connectionOptions = { keepAliveTimeout: 30_000, maxResponseSize: 4 * 1024 * 1024 }
const connectTimeout = 3_000

/** What a call is made of. It may be sent twice, so its body is text. */
export interface HttpCall extends Dispatcher.DispatchOptions {
  origin: string
  body: string | null
}

/** The connections that the calls of all HTTP origins share. */
export interface HttpClient {
  /**
   * Makes one call. If its connection has served calls before and breaks before an answer begins, the call is repeated once, on a
   * connection that is made for it: a provider may close a kept connection while a request is on its way, and this is no failure of
   * the provider. The pool is not asked again, because its other connections may have ended with this one.
   * @throws what undici throws; the signal's reason when it is aborted
   */
  call: (call: HttpCall, signal: AbortSignal) => Promise<HttpAnswer>
  close: () => Promise<void>
}

/** Opens a pool of connections. Calls are repeated, so it is for calls that only read. */
export function openHttpClient (): HttpClient {
  const { connect, isOfKept } = createConnector()
  const agent = new Agent({ ...connectionOptions, connections, connect })

  async function callAnew (call: HttpCall, signal: AbortSignal): Promise<HttpAnswer> {
    const client = new Client(call.origin, { ...connectionOptions, connect })
    try {
      return await callHttp(client, call, signal)
    } finally {
      void client.destroy()
    }
  }

  return {
    async call (call, signal) {
      let answered = false
      try {
        return await callHttp(agent, call, signal, () => { answered = true })
      } catch (error) {
        if (answered || signal.aborted || !isOfKept(error)) throw error
        return callAnew(call, signal)
      }
    },
    close: async () => agent.destroy()
  }
}

/** How a connection ends from the other side: undici's own code is for an orderly end. */
const endings: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'])

/**
 * Makes connections, and remembers the errors of those that had received something before they ended. Undici passes a socket's error
 * on to its call, but does not say whether the connection was a new one.
 */
function createConnector (): { connect: buildConnector.connector, isOfKept: (error: unknown) => boolean } {
  const errorsOfKept = new WeakSet<object>()
  const make = buildConnector({ timeout: connectTimeout })

  function watch (socket: Socket): void {
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // Of a TLS connection, these are the bytes after decryption: its handshake does not count.
      if (socket.bytesRead > 0 && endings.has(error.code)) errorsOfKept.add(error)
    })
  }

  return {
    connect (options, callback) {
      make(options, (...made) => {
        if (made[0] === null) watch(made[1])
        callback(...made)
      })
    },
    isOfKept: error => typeof error === 'object' && error !== null && errorsOfKept.has(error)
  }
}
