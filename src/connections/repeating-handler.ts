import { Agent as HttpAgent, type ClientRequest } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { NodeHttpHandler } from '@smithy/node-http-handler'

/** The HTTP handler of an SDK client: the SDK's own handler, or one that wraps it. */
export type AwsHandler = Pick<NodeHttpHandler, 'metadata' | 'handle' | 'destroy' | 'updateHttpClientConfig' | 'httpHandlerConfigs'>

export interface RepeatingHandlerOptions {
  maxSockets: number
  /** Timeout of a connection attempt, in ms. */
  connectionTimeout: number
}

/**
 * Creates a handler that repeats a request once if the request used a kept-alive connection and the connection ended before the answer
 * began: a service may close such a connection while a request is on its way. The handler repeats the request on a new connection,
 * because the service may have closed the other kept-alive connections, too. It is for clients that only read.
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

/** The error codes of a connection that the service ended; Node.js gives "socket hang up" the first code. */
const endings: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE'])

/** Calls back with each request that gets a kept-alive connection, before Node.js sends it. Node.js allows to override `reuseSocket`. */
function onReuse (agent: HttpAgent, callback: (request: ClientRequest) => void): void {
  const reuse = agent.reuseSocket.bind(agent)
  agent.reuseSocket = (socket, request) => {
    callback(request)
    reuse(socket, request)
  }
}

/** Returns whether a body can be sent twice. A stream can be read only once. */
function canBeSentAgain (body: unknown): boolean {
  return body === undefined || typeof body === 'string' || body instanceof Uint8Array
}
