import type { Socket } from 'node:net'
import { Agent, buildConnector, Client, type Dispatcher } from 'undici'
import { callHttp, type HttpAnswer } from './http-call.ts'

/** More connections than the default bulkhead of an origin, so that no call waits for a connection. */
const connections = 1024
/** Answers of at most 4 MiB. */
const connectionOptions = { keepAliveTimeout: 30_000, maxResponseSize: 4 * 1024 * 1024 }
const connectTimeout = 3_000

/** The parts of an HTTP call. The body is text, so that the client can send it twice. */
export interface HttpCall extends Dispatcher.DispatchOptions {
  origin: string
  body: string | null
}

/** The connections that the calls of all HTTP origins share. */
export interface HttpClient {
  /**
   * Makes one call. If its connection has served calls before and breaks before an answer begins, the client repeats the call once, on a
   * new connection: a provider may close a kept-alive connection while a request is on its way, and that is no failure of the provider.
   * The repeat does not use the pool, because the provider may have closed its other connections, too.
   * @throws the error of undici; the signal's reason if the signal is aborted
   */
  call: (call: HttpCall, signal: AbortSignal) => Promise<HttpAnswer>
  close: () => Promise<void>
}

/** Opens a pool of connections. It is for calls that only read, as the client may repeat a call. */
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

/** The error codes of a connection that the provider ended. Undici's own code stands for an orderly end. */
const endings: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'])

/**
 * Returns a connector, and a function that says whether an error comes from a connection that had received data before it ended. Undici
 * passes a socket's error on to its call, but does not say whether the connection was a new one.
 */
function createConnector (): { connect: buildConnector.connector, isOfKept: (error: unknown) => boolean } {
  const errorsOfKept = new WeakSet<object>()
  const make = buildConnector({ timeout: connectTimeout })

  function watch (socket: Socket): void {
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // For a TLS connection, `bytesRead` counts the bytes after decryption, without the handshake.
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
