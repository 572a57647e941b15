import { createServer, type IncomingHttpHeaders } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import { listen } from './listen.ts'
import { seededRandom } from './seeded-random.ts'

export interface Body {
  userId?: string
  eventList: Array<{ eventId: string, itemId?: string, [member: string]: unknown }>
}

/** An answer in place of the server's own. Status 0 breaks the connection. */
export interface Reply {
  status: number
  headers?: Record<string, string>
  body?: object
}

export interface EventServer {
  url: string
  /** The bodies of each request, oldest first. */
  requests: Body[][]
  /** Accepted bodies, in order; without bodies whose events were all accepted before. */
  taken: Body[]
  /** Number of bodies whose events were all accepted before. */
  repeated: number
  /** Returns an answer in place of the server's, or nothing to let the server answer. */
  intercept: (bodies: Body[], url: string, headers: IncomingHttpHeaders) => Reply | undefined | void | Promise<Reply | undefined | void>
  /** Returns whether the connection breaks after the server has accepted the bodies. */
  losesAnswer: () => boolean
  /** Returns the result of a body that the server refuses; undefined if it accepts the body. */
  refuse: (body: Body) => object | undefined
}

/** Starts a server with a batch endpoint for events. It ends with the test. */
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

/** Makes a fifth of all requests fail at random, some of them after the server accepted their bodies, and a tenth of all bodies. */
export function failAtRandom (server: EventServer, seed: number): void {
  const random = seededRandom(seed)
  const failing = { status: 503, code: 'EventsNotDelivered', message: 'says the test', targets: { here: 'failed' } }
  server.refuse = () => random.next() < 0.1 ? failing : undefined
  const replies: Reply[] = [{ status: 0 }, { status: 429, headers: { 'retry-after': '0' } }, { status: 502 }]
  server.intercept = () => random.next() < 0.15 ? random.pick(replies) : undefined
  server.losesAnswer = () => random.next() < 0.05
}
