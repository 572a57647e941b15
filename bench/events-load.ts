/**
 * Sends events over keep-alive connections, and reports how many were accepted and how long that took:
 *   events-load.js '{"ports":[8080],"path":"/events/all","bodies":0,"events":1,"connections":64,"seconds":2,"rate":0}'
 * Each event has an id, as from a caller who may have to repeat it. With a rate, requests are sent when they are due, whether answers come
 * or not, and their time counts from then. Without a rate, each connection sends its next request as soon as it has an answer.
 */
import { createHistogram } from 'node:perf_hooks'
import { nanoseconds, openConnection, type RawConnection } from './raw-connection.ts'

export interface EventsLoad {
  /** Of each gateway. Connections are spread evenly over them. */
  ports: readonly number[]
  path: string
  /** Bodies in a request, each of another user; 0: the request is a single body. */
  bodies: number
  /** Events in a body. */
  events: number
  connections: number
  seconds: number
  /** Requests a second; 0: as fast as they are answered. */
  rate: number
}

/** Times in ms. */
export interface EventsTaken {
  /** Requests answered after the warm-up. */
  requests: number
  seconds: number
  p50: number
  p99: number
  /** How late the client itself sent requests, p99. */
  late: number
  /** All requests by status. */
  statuses: Record<string, number>
  /** The events of all requests that were answered with 200. */
  accepted: number
  unanswered: number
}

/** How much of the beginning does not count, in seconds. */
const warmUp = 0.5
const users = 10_000

if (process.argv[1] === import.meta.filename) {
  console.log(JSON.stringify(await load(JSON.parse(process.argv[2]!) as EventsLoad)))
  process.exit(0)
}

async function load ({ ports, path, bodies, events, connections, seconds, rate }: EventsLoad): Promise<EventsTaken> {
  const makeRequest = requestMaker(path, bodies, events)
  const durations = createHistogram()
  const lateness = createHistogram()
  const statuses: Record<string, number> = {}
  const idle = await Promise.all(Array.from({ length: connections }, async (_, i) => openConnection(ports[i % ports.length]!, finish)))
  const started = performance.now()
  const countFrom = started + warmUp * 1000
  const end = countFrom + seconds * 1000
  let [sent, answered, counted, lastCounted] = [0, 0, 0, countFrom]

  function finish (connection: RawConnection): void {
    const now = performance.now()
    answered++
    statuses[connection.status] = (statuses[connection.status] ?? 0) + 1
    if (now >= countFrom && now <= end) {
      counted++
      lastCounted = now
    }
    if (connection.due >= countFrom) durations.record(nanoseconds(now - connection.due))
    idle.push(connection)
    if (rate === 0) sendDue()
  }

  function sendDue (): void {
    for (;;) {
      const now = performance.now()
      const due = rate === 0 ? now : started + sent * 1000 / rate
      if (due > now || due >= end) return
      // Connections take turns, so that each server gets its share at every rate.
      const connection = idle.shift()
      if (connection === undefined) return
      connection.due = due
      connection.missing = -1
      connection.socket.write(makeRequest())
      if (due >= countFrom) lateness.record(nanoseconds(now - due))
      sent++
    }
  }

  await new Promise<void>(resolve => {
    sendDue()
    // The targets share the client's core. A client that polled the clock in a loop would take the core from them.
    const timer = setInterval(() => {
      const now = performance.now()
      if (rate > 0) sendDue()
      if (now < end + 100 || (answered < sent && now < end + 5_000)) return
      clearInterval(timer)
      resolve()
    }, 1)
  })
  const ms = (value: number): number => value / 1e6
  return {
    requests: counted,
    seconds: (lastCounted - countFrom) / 1000,
    p50: ms(durations.percentile(50)),
    p99: ms(durations.percentile(99)),
    late: ms(lateness.percentile(99)),
    statuses,
    accepted: (statuses['200'] ?? 0) * Math.max(1, bodies) * events,
    unanswered: sent - answered
  }
}

/** Returns a function that makes requests, each with new event ids. Users come in turn, each with a session. */
function requestMaker (path: string, bodies: number, events: number): () => string {
  const run = `${process.pid}-${Date.now().toString(36)}`
  let [event, user] = [0, 0]

  function eventOf (): string {
    event++
    return `{"eventId":"${run}-${event}","eventType":"view","itemId":"item-${event % 5_000}","sentAt":${Date.now() / 1000},"properties":"{\\"device\\":\\"mobile\\",\\"position\\":${event % 25}}"}`
  }

  function bodyOf (): string {
    user = (user + 1) % users
    return `{"userId":"user-${user}","sessionId":"session-${user}","eventList":[${Array.from({ length: events }, eventOf).join()}]}`
  }

  return () => {
    const body = bodies === 0 ? bodyOf() : `[${Array.from({ length: bodies }, bodyOf).join()}]`
    return `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
  }
}
