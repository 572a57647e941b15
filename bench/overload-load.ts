/** The load of bench/overload.ts, a process of its own: one request at a time on each connection. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface OverloadLoad {
  port: number
  seconds: number
  connections: number
  /** Requests per second, over all connections; absent: the next one as soon as the last one is answered. */
  rate?: number
}

/** Times in ms. */
interface Answers { count: number, rate: number, p50: number, p99: number }

export interface OverloadResult {
  sent: number
  accepted: Answers
  refused: Answers
  /** Answers that are neither a success nor a refusal with 503. */
  others: number
  withoutRetryAfter: number
  sentOf: Record<string, number>
  refusedOf: Record<string, number>
  healthFailures: number
  slowestHealth: number
}

const { port, seconds, connections, rate } = JSON.parse(process.argv[2]!) as OverloadLoad

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: gateway\r\n\r\n`
const post = (path: string, body: unknown): string => {
  const text = JSON.stringify(body)
  return `POST ${path} HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`
}
const eventsOf = (user: string): object => ({ userId: user, sessionId: `s-${user}`, eventList: [{ eventType: 'view', itemId: `item-${user.length}` }] })

let turn = 0
/** Six hits, two misses and two events, and each hundredth request a batch of 20. */
function nextRequest (): { kind: string, bytes: string } {
  const i = turn++
  if (i % 100 === 99) return { kind: 'batch', bytes: post('/events/bench/batch', Array.from({ length: 20 }, (_, k) => eventsOf(`b-${i}-${k}`))) }
  const [kind, bytes] = [
    ['hit', () => get(`/recommend-items/bench/remote/hit-${i % 100}`)],
    ['miss', () => get(`/recommend-items/bench/remote/miss-${process.pid}-${i}`)],
    ['event', () => post('/events/bench', eventsOf(`e-${i % 1000}`))]
  ][[0, 0, 0, 1, 0, 0, 0, 1, 2, 2][i % 10]!] as [string, () => string]
  return { kind, bytes: bytes() }
}

const accepted: number[] = []
const refused: number[] = []
const sentOf: Record<string, number> = {}
const refusedOf: Record<string, number> = {}
let [others, withoutRetryAfter, healthFailures, slowestHealth] = [0, 0, 0, 0]
const end = performance.now() + seconds * 1000

/** Sends a request on a connection and reads its answer, whose length is in its head. */
async function exchange (socket: Socket, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const onData = (chunk: Buffer): void => {
      text += chunk.toString('latin1')
      const head = text.indexOf('\r\n\r\n')
      if (head === -1) return
      const length = Number(/^content-length: (\d+)/im.exec(text)?.[1] ?? 0)
      if (text.length < head + 4 + length) return
      socket.off('data', onData)
      resolve(text.slice(0, head))
    }
    socket.on('data', onData)
    socket.once('close', () => { reject(new Error('closed')) })
    socket.write(bytes)
  })
}

async function run (place: number): Promise<void> {
  const pause = rate === undefined ? 0 : connections / rate * 1000
  let due = performance.now() + pause * place / connections
  let socket = connect(port, '127.0.0.1').setNoDelay().setMaxListeners(0)
  await once(socket, 'connect')
  while (due < end && performance.now() < end) {
    const wait = due - performance.now()
    if (wait > 1) await sleep(wait)
    due += pause
    const { kind, bytes } = nextRequest()
    sentOf[kind] = (sentOf[kind] ?? 0) + 1
    const sentAt = performance.now()
    try {
      const head = await exchange(socket, bytes)
      const took = performance.now() - sentAt
      const status = head.slice(9, 12)
      if (status === '200') {
        accepted.push(took)
      } else if (status === '503') {
        refused.push(took)
        refusedOf[kind] = (refusedOf[kind] ?? 0) + 1
        if (!/^retry-after: \d+/im.test(head)) withoutRetryAfter++
      } else {
        others++
      }
    } catch {
      others++
      socket = connect(port, '127.0.0.1').setNoDelay().setMaxListeners(0)
      await once(socket, 'connect')
    }
  }
  socket.destroy()
}

async function watchHealth (): Promise<void> {
  while (performance.now() < end) {
    const askedAt = performance.now()
    const isWell = await fetch(`http://127.0.0.1:${port}/health/live`, { signal: AbortSignal.timeout(2_000) }).then(async response => { await response.text(); return response.ok }, () => false)
    if (!isWell) healthFailures++
    slowestHealth = Math.max(slowestHealth, Math.round(performance.now() - askedAt))
    await sleep(200)
  }
}

function summary (times: number[]): Answers {
  const sorted = times.sort((a, b) => a - b)
  const at = (share: number): number => Math.round((sorted[Math.floor(sorted.length * share)] ?? 0) * 10) / 10
  return { count: sorted.length, rate: Math.round(sorted.length / seconds), p50: at(0.5), p99: at(0.99) }
}

await Promise.all([watchHealth(), ...Array.from({ length: connections }, async (_, place) => run(place))])
const result: OverloadResult = { sent: Object.values(sentOf).reduce((sum, count) => sum + count, 0), accepted: summary(accepted), refused: summary(refused), others, withoutRetryAfter, sentOf, refusedOf, healthFailures, slowestHealth }
process.stdout.write(JSON.stringify(result))
