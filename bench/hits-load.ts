/**
 * Sends requests at a fixed rate, whether answers come or not, and says how long each took from the time at which it was due:
 *   hits-load.js '{"port":8080,"paths":["/"],"rate":1000,"seconds":3,"connections":64}'
 * A request that is due while every connection waits for an answer is sent late, and the wait counts. What is late although a connection
 * was free is the client's own doing; it is said beside.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createHistogram } from 'node:perf_hooks'

export interface Load {
  port: number
  paths: string[]
  /** A second. */
  rate: number
  seconds: number
  connections: number
}

/** Times in ms. */
export interface Latencies {
  sent: number
  p50: number
  p99: number
  /** How late the client itself was with what it sent. */
  late: { p50: number, p99: number }
  /** Still unanswered at the end. */
  unanswered: number
}

/** So much of the beginning does not count, in seconds. */
const warmUp = 0.5

interface Connection {
  socket: Socket
  /** When what it waits for was due. */
  due: number
  /** Of the answer that is arriving; negative before its head has come. */
  missing: number
}

const contentLength = Buffer.from('\r\ncontent-length: ')
const endOfHead = Buffer.from('\r\n\r\n')

if (process.argv[1] === import.meta.filename) {
  console.log(JSON.stringify(await load(JSON.parse(process.argv[2]!) as Load)))
  process.exit(0)
}

async function load ({ port, paths, rate, seconds, connections }: Load): Promise<Latencies> {
  const requests = paths.map(path => Buffer.from(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`))
  const durations = createHistogram()
  const lateness = createHistogram()
  const idle = await Promise.all(Array.from({ length: connections }, async () => open(port, finish)))
  const total = Math.round(rate * (seconds + warmUp))
  const started = performance.now()
  const countFrom = started + warmUp * 1000
  let next = 0
  let answered = 0
  /** When a connection was last given back: what had to wait for it could not have been sent sooner. */
  let freedAt = started

  function finish (connection: Connection): void {
    const now = performance.now()
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
      // Timers are too coarse for what is due several times in a millisecond: the client spends its core on watching the clock.
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

async function open (port: number, finish: (connection: Connection) => void): Promise<Connection> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  const connection: Connection = { socket, due: 0, missing: -1 }
  let head: Buffer | undefined
  socket.on('data', chunk => {
    if (connection.missing < 0) {
      head = head === undefined ? chunk : Buffer.concat([head, chunk])
      const end = head.indexOf(endOfHead)
      if (end < 0) return
      connection.missing = end + endOfHead.length + readLength(head) - head.length
      head = undefined
    } else {
      connection.missing -= chunk.length
    }
    if (connection.missing === 0) finish(connection)
  })
  socket.on('error', fail)
  socket.on('close', () => fail(new Error('the server closed a connection')))
  return connection
}

function readLength (head: Buffer): number {
  // HTTP/1.1 200
  if (head[9] !== 0x32) fail(new Error(`the server answered ${head.toString('latin1', 0, 200)}`))
  const start = head.indexOf(contentLength) + contentLength.length
  return Number(head.toString('latin1', start, head.indexOf('\r', start)))
}

function nanoseconds (ms: number): number {
  return Math.max(1, Math.round(ms * 1e6))
}

function fail (error: Error): never {
  console.error(String(error))
  process.exit(1)
}
