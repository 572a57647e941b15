import { Agent as HttpAgent, type ClientRequest } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { NodeHttpHandler } from '@smithy/node-http-handler'

/** How an SDK client sends its requests: the SDK's handler, or one that stands in front of it. */
export type AwsHandler = Pick<NodeHttpHandler, 'metadata' | 'handle' | 'destroy' | 'updateHttpClientConfig' | 'httpHandlerConfigs'>

export interface RepeatingHandlerOptions {
  maxSockets: number
  /** In ms. */
  connectionTimeout: number
}

/**
 * Creates a handler that repeats a request once if its connection was kept from a request before and ends before the answer begins: a
 * service may close a kept connection while a request is on its way. The repeat goes on a new connection, because the other kept ones
 * may have ended, too. It is for clients that only read.
 */
export function createRepeatingHandler ({ maxSockets, connectionTimeout }: RepeatingHandlerOptions): AwsHandler {
  const errorsOfKept = new WeakSet<Error>()
  const agents = { httpAgent: new HttpAgent({ keepAlive: true, maxSockets }), httpsAgent: new HttpsAgent({ keepAlive: true, maxSockets }) }
  for (const agent of Object.values(agents)) onReuse(agent, request => { request.on('error', (error: Error) => { errorsOfKept.add(error) }) })
  const kept = new NodeHttpHandler({ ...agents, connectionTimeout })
  const single = { keepAlive: false, maxSockets }
  const anew = new NodeHttpHandler({ httpAgent: single, httpsAgent: single, connectionTimeout })

  return {
    metadata: kept.metadata,
    async handle (request, options) {
      try {
        return await kept.handle(request, options)
      } catch (error) {
        const broken = error instanceof Error && errorsOfKept.has(error) && endings.has((error as NodeJS.ErrnoException).code)
        if (!broken || options?.abortSignal?.aborted === true || !canBeSentAgain(request.body)) throw error
        return anew.handle(request, options)
      }
    },
    destroy () {
      kept.destroy()
      anew.destroy()
    },
    updateHttpClientConfig (key, value) {
      kept.updateHttpClientConfig(key, value)
      anew.updateHttpClientConfig(key, value)
    },
    httpHandlerConfigs: () => kept.httpHandlerConfigs()
  }
}

/** How a connection ends from the other side; Node gives "socket hang up" the first code. */
const endings: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE'])

/** Calls back with each request that gets a kept connection, before it is sent. Node means this method to be overridden. */
function onReuse (agent: HttpAgent, callback: (request: ClientRequest) => void): void {
  const reuse = agent.reuseSocket.bind(agent)
  agent.reuseSocket = (socket, request) => {
    callback(request)
    reuse(socket, request)
  }
}

/** A stream is used up once it is sent. */
function canBeSentAgain (body: unknown): boolean {
  return body === undefined || typeof body === 'string' || body instanceof Uint8Array
}
