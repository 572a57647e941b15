import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { replay, type ReplayOptions, type ReplayResult } from '../../../src/cli/replay/replay.ts'
import { failAtRandom, startEventServer, type EventServer } from '../../support/flaky-events.ts'
import { seededRandom } from '../../support/seeded-random.ts'

const pause = { first: 1, longest: 2 }

interface Fixture {
  file: string
  server: EventServer
  send: (more?: Partial<ReplayOptions>) => Promise<ReplayResult>
}

async function fixture (t: Test, lines: readonly string[], name = 'events.jsonl'): Promise<Fixture> {
  const file = join(t.testdir(), name)
  const text = `${lines.join('\n')}\n`
  writeFileSync(file, name.endsWith('.gz') ? gzipSync(text) : text)
  const server = await startEventServer(t)
  return { file, server, send: async more => replay({ file, namespace: 'shop', url: server.url, pause, random: seededRandom(7).next, ...more }) }
}

/** Events of some users, each of whose items are numbered. */
function events (count: number, users = 50): string[] {
  const random = seededRandom(count)
  const next = new Map<string, number>()
  return Array.from({ length: count }, () => {
    const userId = `u${random.integer(1, users)}`
    const n = next.get(userId) ?? 0
    next.set(userId, n + 1)
    return JSON.stringify({ userId, eventType: 'view', itemId: String(n) })
  })
}

/** The items of each user, in the order in which they were taken. */
function itemsByUser ({ taken }: EventServer): Map<string, number[]> {
  const users = new Map<string, number[]>()
  for (const { userId, eventList } of taken) users.set(userId!, [...users.get(userId!) ?? [], ...eventList.map(({ itemId }) => Number(itemId))])
  return users
}

function inOrder (server: EventServer): boolean {
  return [...itemsByUser(server).values()].every(items => items.every((item, i) => item === i))
}

const rejected = (file: string): Array<Record<string, unknown>> => readFileSync(`${file}.rejected.jsonl`, 'utf8').trim().split('\n').map(line => JSON.parse(line) as Record<string, unknown>)

t.test('all lines arrive once, those of a user in their order, never two of a user in a request', async t => {
  const { file, server, send } = await fixture(t, events(5_000))
  t.match(await send(), { delivered: 5_000, rejected: 0, stopped: false })
  t.equal(server.taken.length, 5_000)
  t.equal(server.repeated, 0)
  t.ok(inOrder(server))
  t.ok(server.requests.every(bodies => new Set(bodies.map(({ userId }) => userId)).size === bodies.length))
  for (const end of ['position', 'rejected.jsonl', 'lock']) t.notOk(existsSync(`${file}.${end}`), end)
})

t.test('a request has at most 500 bodies, 5,000 events and 4 MiB', async t => {
  const many = Array.from({ length: 1_500 }, (_, i) => JSON.stringify({ userId: `a${i}`, eventType: 'view' }))
  const lists = Array.from({ length: 40 }, (_, i) => JSON.stringify({ userId: `b${i}`, eventList: Array.from({ length: 400 }, () => ({ eventType: 'view' })) }))
  const large = Array.from({ length: 10 }, (_, i) => JSON.stringify({ userId: `c${i}`, eventType: 'view', properties: 'x'.repeat(1024 * 1024) }))
  const { server, send } = await fixture(t, [...many, ...lists, ...large])
  t.match(await send(), { delivered: 1_550 })
  for (const bodies of server.requests) {
    t.ok(bodies.length <= 500)
    t.ok(bodies.reduce((sum, { eventList }) => sum + eventList.length, 0) <= 5_000)
    t.ok(bodies.reduce((sum, body) => sum + JSON.stringify(body).length + 1, 0) <= 4 * 1024 * 1024)
  }
  t.ok(server.requests.length < 100, String(server.requests.length))
})

t.test('whatever fails at random, all arrives once and in order', async t => {
  for (const seed of [1, 2, 3]) {
    const { server, send } = await fixture(t, events(3_000, 300))
    failAtRandom(server, seed)
    t.match(await send({ concurrency: 8 }), { delivered: 3_000, rejected: 0 })
    t.equal(server.taken.length, 3_000)
    t.ok(inOrder(server))
  }
})

t.test('where only some bodies failed, only those are sent again', async t => {
  const { server, send } = await fixture(t, events(100, 1_000_000))
  const failed = new Set<string>()
  server.refuse = ({ eventList: [event] }) => {
    if (failed.size >= 10 || failed.has(event!.eventId)) return undefined
    failed.add(event!.eventId)
    return { status: 503, code: 'EventsNotDelivered' }
  }
  t.match(await send(), { delivered: 100 })
  t.strictSame(server.requests.map(({ length }) => length), [100, 10])
  t.equal(server.repeated, 0)
})

t.test('what is refused is rejected with its reason, the rest goes on', async t => {
  const lines = events(20, 5)
  lines[4] = 'nonsense'
  lines[9] = '[]'
  const { file, server, send } = await fixture(t, lines)
  server.refuse = ({ eventList: [event] }) => event!.itemId === '1' ? { status: 400, code: 'InvalidBody', message: 'body: no' } : event!.itemId === '2' ? { status: 502, code: 'EventsRefused', message: 'refused', targets: { http: 'failed: no' } } : undefined
  const result = await send()
  const found = rejected(file)
  t.equal(found.length, result.rejected)
  t.equal(result.delivered + result.rejected, 20)
  t.match(found.find(({ line }) => line === 5), { reason: 'is not JSON', text: 'nonsense' })
  t.match(found.find(({ line }) => line === 10), { reason: 'expected a JSON object', text: '[]' })
  t.match(found.find(({ reason }) => String(reason).startsWith('400')), { reason: '400 InvalidBody: body: no', body: { eventList: [{ itemId: '1', eventId: String }] } })
  t.match(found.find(({ reason }) => String(reason).startsWith('502')), { reason: '502 EventsRefused: refused {"http":"failed: no"}' })
  t.notOk(existsSync(`${file}.position`))
})

t.test('a body that fails ten times is rejected', async t => {
  const { file, server, send } = await fixture(t, events(3, 1_000))
  const bad = JSON.parse(events(3, 1_000)[1]!) as { userId: string }
  server.refuse = ({ userId }) => userId === bad.userId ? { status: 503, code: 'EventsNotDelivered', message: 'no' } : undefined
  t.match(await send(), { delivered: 2, rejected: 1 })
  t.match(rejected(file), [{ line: 2, reason: '503 EventsNotDelivered: no' }])
  t.equal(server.requests.length, 10)
})

t.test('a gateway that is away ends the run, and the next one goes on', async t => {
  const { file, server, send } = await fixture(t, events(2_000))
  let requests = 0
  server.intercept = () => ++requests > 20 ? { status: 503, body: { code: 'ShuttingDown', message: 'goes' } } : undefined
  await t.rejects(send(), { message: 'the gateway did not take the events in 10 tries: 503 ShuttingDown goes' })
  t.ok(existsSync(`${file}.position`))
  server.intercept = () => undefined
  const result = await send()
  t.ok(result.from > 0)
  t.match(result, { delivered: 2_000, rejected: 0 })
  t.equal(server.taken.length, 2_000)
  t.ok(inOrder(server))
})

t.test('a gateway that refuses whatever is sent ends the run at once', async t => {
  const { file, server, send } = await fixture(t, events(10))
  server.intercept = () => ({ status: 404, body: { code: 'NamespaceNotFound', message: 'no such namespace' } })
  await t.rejects(send(), { message: 'the gateway refuses the events: 404 NamespaceNotFound no such namespace' })
  t.notOk(existsSync(`${file}.position`), 'a replay to a namespace that is not there leaves no position behind')
  t.equal(server.requests.length, 1)
})

t.test('Retry-After is honoured', async t => {
  const { server, send } = await fixture(t, events(1))
  const times: number[] = []
  server.intercept = () => {
    times.push(performance.now())
    return times.length === 1 ? { status: 429, headers: { 'retry-after': '1' } } : undefined
  }
  await send()
  t.ok(times[1]! - times[0]! >= 990)
})

t.test('a run that is stopped goes on where it was, with what it rejected until there', async t => {
  const lines = events(3_000)
  for (let i = 0; i < 3_000; i += 100) lines[i] = 'nonsense'
  const { file, server, send } = await fixture(t, lines)
  const controller = new AbortController()
  server.intercept = () => {
    if (server.taken.length >= 1_000) controller.abort()
    return undefined
  }
  const first = await send({ signal: controller.signal, concurrency: 2 })
  t.match(first, { stopped: true })
  t.ok(first.line >= 500 && first.line < 3_000, String(first.line))
  server.intercept = () => undefined
  t.match(await send(), { stopped: false, from: first.line, delivered: 2_970, rejected: 30 })
  t.equal(server.taken.length, 2_970)
  t.strictSame(rejected(file).map(({ line }) => line).sort((a, b) => Number(a) - Number(b)), Array.from({ length: 30 }, (_, i) => i * 100 + 1))
  t.notOk(existsSync(`${file}.position`))
})

t.test('a position of another file or another gateway is refused, unless a run begins anew', async t => {
  const { file, server, send } = await fixture(t, events(10))
  const stopped = async (): Promise<ReplayResult> => send({ signal: AbortSignal.abort() })
  t.match(await stopped(), { stopped: true, line: 0 })
  await t.rejects(send({ namespace: 'else' }), { message: /is of a replay to shop at http/ })
  utimesSync(file, 1, 1)
  await t.rejects(send(), { message: /has changed since .*\.position was written; --from-start begins anew/ })
  writeFileSync(`${file}.position`, 'nonsense')
  await t.rejects(send(), { message: /is not the position of a replay/ })
  t.equal(server.requests.length, 0)
  t.match(await send({ fromStart: true }), { delivered: 10 })
})

t.test('a compressed file is sent alike', async t => {
  const { server, send } = await fixture(t, events(1_000), 'events.jsonl.gz')
  t.match(await send(), { delivered: 1_000 })
  t.ok(inOrder(server))
})

t.test('of two runs at a time the second is refused', async t => {
  const { send } = await fixture(t, events(1_000))
  const results = await Promise.allSettled([send(), send()])
  t.strictSame(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
})
