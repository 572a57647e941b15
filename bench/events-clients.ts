/** The clients of bench/events-stress.ts. Each has its own users, and sends a user's next events after the answer to the previous ones. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'undici'
import { told, type Book, type Told } from './events-book.ts'
import { targetNames, type TargetName } from './events-stub.ts'

export interface ClientsOptions {
  port: number
  book: Book
  /** The number of events to send in all. */
  events: number
  clients: number
  users: number
  /** Returns a random number x, 0 ≤ x < 1. */
  random: () => number
  /** Called when half of the events have been answered. */
  onHalf?: () => void
}

export interface Sent {
  events: number
  requests: number
  /** Answers by status. For a batch, the answers to its bodies by "batch " and their status. */
  statuses: Record<string, number>
  /** Connections that were cut, by their error. */
  cut: Record<string, number>
}

interface Body {
  userId?: string
  sessionId?: string
  eventList: object[]
}

/** A body, and the numbers of its events. */
interface Written {
  body: Body
  numbers: number[]
}

/** The part of an answer about one body. */
interface BodyAnswer {
  status?: number
  code?: string
  missing?: Partial<Record<TargetName, string[]>>
}

/** The most tries of a request that is refused as a whole, because a queue is full or the gateway has too much to do. */
const mostTries = 400

/** Sends until all events are sent, or the gateway is gone. */
export async function sendAll ({ port, book, events, clients, users, random, onHalf }: ClientsOptions): Promise<Sent> {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: clients, pipelining: 1 })
  const sent: Sent = { events: 0, requests: 0, statuses: {}, cut: {} }
  const integer = (from: number, to: number): number => from + Math.floor(random() * (to - from + 1))
  let answered = 0
  /** Aborted when the gateway is gone. */
  const cutOff = new AbortController()

  function write (client: number): Written {
    // A client's users are those whose number, modulo the number of clients, is the client's number.
    const user = client + clients * integer(0, Math.floor(users / clients) - 1)
    const count = Math.min(random() < 0.05 ? integer(11, 25) : integer(1, 10), events - sent.events)
    const written = Array.from({ length: count }, () => book.write(user))
    sent.events += count
    const eventList = written.map(({ eventId, seq }) => ({ eventId, eventType: 'view', itemId: `item-${seq % 100}`, properties: { seq } }))
    return { body: { ...identityOf(user), eventList }, numbers: written.map(({ number }) => number) }
  }

  async function run (client: number): Promise<void> {
    while (sent.events < events && !cutOff.signal.aborted) {
      const batched = random() < 0.6
      const bodies: Written[] = []
      for (let left = batched ? integer(2, 40) : 1; left > 0 && sent.events < events; left--) bodies.push(write(client))
      await deliver(bodies, batched)
      const before = answered
      answered += bodies.reduce((sum, { numbers }) => sum + numbers.length, 0)
      if (before < events / 2 && answered >= events / 2) onHalf?.()
    }
  }

  async function deliver (bodies: Written[], batched: boolean): Promise<void> {
    const payload = JSON.stringify(batched ? bodies.map(({ body }) => body) : bodies[0]!.body)
    for (let tries = 1; ; tries++) {
      const answer = await ask(batched ? '/events/all/batch' : '/events/all', payload)
      if (answer === undefined) return noteAll(bodies, told.nothing)
      if ((answer.status === 429 || answer.code === 'Overloaded') && tries < mostTries) {
        await sleep(25)
        continue
      }
      if (!batched) return note(bodies[0]!, answer.status, answer)
      if (answer.results === undefined) return noteAll(bodies, told.refused)
      answer.results.forEach((result, i) => {
        count(`batch ${result.status}`)
        note(bodies[i]!, result.status!, result)
      })
      return
    }
  }

  /** Sends a request. @returns its answer; undefined if there was none */
  async function ask (path: string, body: string): Promise<BodyAnswer & { status: number, results?: BodyAnswer[] } | undefined> {
    sent.requests++
    try {
      const answer = await pool.request({ method: 'POST', path, body, headers: { 'content-type': 'application/json' } })
      const read = await answer.body.json() as BodyAnswer & { results?: BodyAnswer[] }
      count(String(answer.statusCode))
      return { ...read, status: answer.statusCode }
    } catch (error) {
      const { code = String(error) } = error as { code?: string }
      sent.cut[code] = (sent.cut[code] ?? 0) + 1
      cutOff.abort()
      return undefined
    }
  }

  function count (status: string): void {
    sent.statuses[status] = (sent.statuses[status] ?? 0) + 1
  }

  function noteAll (bodies: readonly Written[], what: Told): void {
    for (const { numbers } of bodies) for (const target of targetNames) for (const number of numbers) book.answer(target, number, what)
  }

  function note (written: Written, status: number, { missing }: BodyAnswer): void {
    if (status !== 200 && missing === undefined) return noteAll([written], told.refused)
    noteAll([written], told.delivered)
    for (const [target, eventIds] of Object.entries(missing ?? {}) as Array<[TargetName, string[]]>) {
      for (const id of eventIds) book.answer(target, Number(id.slice('event-'.length)), told.missing)
    }
  }

  await Promise.all(Array.from({ length: clients }, async (_, client) => run(client)))
  await pool.close()
  return sent
}

/** Returns the ids of a user: of ten users, one has only a user id, one only a session id, and the others have both. */
export function identityOf (user: number): { userId?: string, sessionId?: string } {
  const kind = user % 10
  return { ...(kind !== 1 ? { userId: `user-${user}` } : {}), ...(kind !== 0 ? { sessionId: `session-${user}` } : {}) }
}
