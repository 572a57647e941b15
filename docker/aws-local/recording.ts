import type { IncomingHttpHeaders } from 'node:http'
import { parsed, type ReceivedCall } from './call.ts'

export interface ReceivedRequest {
  service: string
  operation: string
  method: string
  /** Path and query. */
  path: string
  headers: IncomingHttpHeaders
  /** The parsed JSON, or the text of any other body. */
  body: unknown
  /** The answer; absent while there is none, and for a request that gets none. */
  reply?: { status: number, body: unknown }
}

/** The newest requests that the services received. */
export interface Recording {
  add: (service: string, operation: string, call: ReceivedCall) => ReceivedRequest
  /** Returns the requests that one service, or all services, received, oldest first. */
  of: (service?: string) => ReceivedRequest[]
  /** Resolves once a service has received so many requests since the last `forget`. */
  reached: (service: string, count: number) => Promise<ReceivedRequest[]>
  forget: () => void
}

/** Limits of the recorded requests of one service. */
const mostRequests = 1_000
const mostBytes = 64 * 1024 * 1024

interface Kept { number: number, bytes: number, request: ReceivedRequest }
interface Waiting { service: string, count: number, done: (requests: ReceivedRequest[]) => void }

/** Creates an empty recording. */
export function createRecording (): Recording {
  const received = new Map<string, { kept: Kept[], bytes: number }>()
  let waiting: Waiting[] = []
  let number = 0

  function of (service?: string): ReceivedRequest[] {
    const kept = [...received].filter(([name]) => service === undefined || name === service).flatMap(([, { kept }]) => kept)
    return kept.sort((a, b) => a.number - b.number).map(({ request }) => request)
  }

  function wake (): void {
    const ready = waiting.filter(({ service, count }) => (received.get(service)?.kept.length ?? 0) >= count)
    waiting = waiting.filter(waiter => !ready.includes(waiter))
    for (const { service, done } of ready) done(of(service))
  }

  return {
    of,
    add (service, operation, { method, url, headers, body }) {
      const ring = received.get(service) ?? { kept: [], bytes: 0 }
      received.set(service, ring)
      const request: ReceivedRequest = { service, operation, method, path: url, headers, body: parsed(body) }
      ring.kept.push({ number: number++, bytes: body.length, request })
      ring.bytes += body.length
      while (ring.kept.length > mostRequests || ring.bytes > mostBytes) ring.bytes -= ring.kept.shift()!.bytes
      wake()
      return request
    },
    reached: async (service, count) => new Promise(resolve => {
      waiting.push({ service, count, done: resolve })
      wake()
    }),
    forget () { received.clear() }
  }
}
