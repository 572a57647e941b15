import type { IncomingHttpHeaders } from 'node:http'
import { parsed, type ReceivedCall } from './call.ts'

export interface ReceivedRequest {
  service: string
  operation: string
  method: string
  /** With its query. */
  path: string
  headers: IncomingHttpHeaders
  /** Its JSON where it is that, else its text. */
  body: unknown
  /** What it was answered; absent while there is no answer, and where there never was. */
  reply?: { status: number, body: unknown }
}

/** What the services were asked: the newest of it. */
export interface Recording {
  add: (service: string, operation: string, call: ReceivedCall) => ReceivedRequest
  /** The requests that a service received, or all of them, oldest first. */
  of: (service?: string) => ReceivedRequest[]
  /** Resolves once a service has received this many since it was last told to forget. */
  reached: (service: string, count: number) => Promise<ReceivedRequest[]>
  forget: () => void
}

/** The most that is kept of one service. */
const mostRequests = 1_000
const mostBytes = 64 * 1024 * 1024

interface Kept { number: number, bytes: number, request: ReceivedRequest }
interface Waiting { service: string, count: number, done: (requests: ReceivedRequest[]) => void }

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
