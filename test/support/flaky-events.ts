import { createServer, type IncomingHttpHeaders } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import { listen } from './listen.ts'
import { seededRandom } from './seeded-random.ts'

export interface Body {
  userId?: string
  eventList: Array<{ eventId: string, itemId?: string, [member: string]: unknown }>
}

/** What a request is answered with, beside what becomes of its bodies. */
export interface Reply {
  status: number
  headers?: Record<string, string>
  body?: object
}

export interface EventServer {
  url: string
  /** The bodies of each request, oldest first. */
  requests: Body[][]
  /** Bodies that were taken, in the order in which they were; those whose events were there already are not in it again. */
  taken: Body[]
  /** Bodies that came although all of their events had been taken. */
  repeated: number
  /** Answers in the place of the server, or lets it answer. */
  intercept: (bodies: Body[], url: string, headers: IncomingHttpHeaders) => Reply | undefined | void | Promise<Reply | undefined | void>
  /** Whether the connection breaks once the bodies are taken. */
  losesAnswer: () => boolean
  /** What becomes of a body that is not taken. */
  refuse: (body: Body) => object | undefined
}

/** A batch endpoint of the test's own. */
export async function startEventServer (t: Test): Promise<EventServer> {
  const known = new Set<string>()
  const server = createServer((req, res) => {
    void (async () => {
      const lines = (await text(req)).split('\n')
      const bodies = lines.map(line => JSON.parse(line) as Body)
      events.requests.push(bodies)
      const reply = await events.intercept(bodies, req.url!, req.headers)
      if (reply) {
        if (reply.status === 0) return res.destroy()
        return res.writeHead(reply.status, reply.headers).end(JSON.stringify(reply.body ?? {}))
      }
      const results = bodies.map(body => {
        const refused = events.refuse(body)
        if (refused !== undefined) return refused
        if (body.eventList.every(({ eventId }) => known.has(eventId))) events.repeated++
        else events.taken.push(body)
        for (const { eventId } of body.eventList) known.add(eventId)
        return { status: 200, targets: { here: 'delivered' } }
      })
      if (events.losesAnswer()) return res.destroy()
      return res.writeHead(results.every(result => (result as { status: number }).status === 200) ? 200 : 207).end(JSON.stringify({ results }))
    })()
  })
  const url = await listen(t, server)
  const events: EventServer = { url, requests: [], taken: [], repeated: 0, intercept: () => undefined, losesAnswer: () => false, refuse: () => undefined }
  return events
}

/** Has a fifth of all requests fail, some of them after their bodies were taken, and a tenth of all bodies. */
export function failAtRandom (server: EventServer, seed: number): void {
  const random = seededRandom(seed)
  const failing = { status: 503, code: 'EventsNotDelivered', message: 'says the test', targets: { here: 'failed' } }
  server.refuse = () => random.next() < 0.1 ? failing : undefined
  const replies: Reply[] = [{ status: 0 }, { status: 429, headers: { 'retry-after': '0' } }, { status: 502 }]
  server.intercept = () => random.next() < 0.15 ? random.pick(replies) : undefined
  server.losesAnswer = () => random.next() < 0.05
}
