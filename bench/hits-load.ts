/**
 * Sends requests at a fixed rate, whether answers come or not, and reports how long they took from the times at which they were due:
 *   hits-load.js '{"port":8080,"paths":["/"],"rate":1000,"seconds":3,"connections":64}'
 * A request that is due while every connection waits for an answer is sent late, and the wait counts. If a request is late although a
 * connection was free, the client was too slow; that lateness is reported separately.
 */
import { createHistogram } from 'node:perf_hooks'
import { fail, nanoseconds, openConnection, type RawConnection } from './raw-connection.ts'

export interface Load {
  port: number
  paths: string[]
  /** Requests per second. */
  rate: number
  seconds: number
  connections: number
  /** Of each request. */
  acceptEncoding?: string
}

/** Times in ms. */
export interface Latencies {
  sent: number
  p50: number
  p99: number
  /** How late the client itself sent requests. */
  late: { p50: number, p99: number }
  /** Requests without an answer at the end. */
  unanswered: number
}

/** How much of the beginning does not count, in seconds. */
const warmUp = 0.5

if (process.argv[1] === import.meta.filename) {
  console.log(JSON.stringify(await load(JSON.parse(process.argv[2]!) as Load)))
  process.exit(0)
}

async function load ({ port, paths, rate, seconds, connections, acceptEncoding }: Load): Promise<Latencies> {
  const more = acceptEncoding === undefined ? '' : `accept-encoding: ${acceptEncoding}\r\n`
  const requests = paths.map(path => Buffer.from(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n${more}\r\n`))
  const durations = createHistogram()
  const lateness = createHistogram()
  const idle = await Promise.all(Array.from({ length: connections }, async () => openConnection(port, finish)))
  const total = Math.round(rate * (seconds + warmUp))
  const started = performance.now()
  const countFrom = started + warmUp * 1000
  let next = 0
  let answered = 0
  /** When a connection became free last. A request that waited for it could not have been sent sooner. */
  let freedAt = started

  function finish (connection: RawConnection): void {
    const now = performance.now()
    if (connection.status > 299) fail(new Error(`the server answered ${connection.status}`))
    answered++
    if (connection.due >= countFrom) durations.record(nanoseconds(now - connection.due))
    if (idle.length === 0) freedAt = now
    idle.push(connection)
  }

  function sendDue (): void {
    for (;;) {
      const due = started + next * 1000 / rate
      const now = performance.now()
      if (next >= total || due > now) return
      const connection = idle.pop()
      if (connection === undefined) return
      connection.due = due
      connection.missing = -1
      connection.socket.write(requests[next % requests.length]!)
      if (due >= countFrom) lateness.record(nanoseconds(now - Math.max(due, freedAt)))
      next++
    }
  }

  const end = countFrom + seconds * 1000
  await new Promise<void>(resolve => {
    const turn = (): void => {
      sendDue()
      // Timers are too coarse for several requests per millisecond, so the client polls the clock in a loop and uses a whole core.
      if (answered === total || performance.now() > end + 2_000) resolve()
      else setImmediate(turn)
    }
    turn()
  })
  const ms = (value: number): number => value / 1e6
  return {
    sent: durations.count,
    p50: ms(durations.percentile(50)),
    p99: ms(durations.percentile(99)),
    late: { p50: ms(lateness.percentile(50)), p99: ms(lateness.percentile(99)) },
    unanswered: total - answered
  }
}
