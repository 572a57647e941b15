import { Buffer } from 'node:buffer'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { addTarget, recordingTarget } from '../support/event-targets.ts'
import { startGateway } from '../support/gateway.ts'
import { seededRandom, type SeededRandom } from '../support/seeded-random.ts'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** A body with everything that one may have. Its events have ids that no other has. */
const valid = (n: number): Json => ({
  userId: 'user-1',
  sessionId: 'session-1',
  eventList: [
    { eventType: 'view', itemId: 'tea', eventId: `${n}-one`, sentAt: 1_700_000_000, properties: { page: 'home', price: 1.5 }, eventValue: 3, recommendationId: 'rec' },
    { eventType: 'click', itemId: 'cup', eventId: `${n}-two`, sentAt: '2026-01-14T12:00:00Z', properties: '{"page":"home"}', impression: ['tea', 'cup'], metricAttribution: { eventAttributionSource: 'mail' } }
  ],
  experimentConversions: [{ recommender: 'for-you', metric: 'clicks', value: 1 }]
})

const wrong: readonly Json[] = [null, true, false, 0, -1, 1.5, 1e300, -1e300, 8.64e15, '', ' ', '0', 'null', '[]', '{}', '{', '\u0000', '\ud800', '💥', '__proto__', 'x'.repeat(257), 'x'.repeat(5_000),
  [], [[]], [null], [''], Array(26).fill('a'), Array(501).fill('a'), {}, { a: 1 }, { constructor: { prototype: {} } }, { toString: null }, { length: 3 }]
const keys = ['userId', 'eventList', 'eventId', 'itemID', '', '__proto__', 'constructor', 'toString', 'x'.repeat(300), 'a/b', 'a~b', '💥']

/** Changes something somewhere in a value. */
function spoil (value: Json, chance: SeededRandom): Json {
  if (chance.next() < 0.15) return structuredClone(chance.pick(wrong))
  if (Array.isArray(value)) {
    const at = chance.integer(0, value.length)
    const kind = chance.integer(0, 5)
    if (kind === 0) return value.toSpliced(at, 1)
    if (kind === 1) return value.toSpliced(at, 0, chance.pick(wrong))
    if (kind === 2) return [...value, ...value]
    return value.map((item, i) => i === at % value.length ? spoil(item, chance) : item)
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
    const at = chance.integer(0, entries.length - 1)
    const kind = chance.integer(0, 7)
    if (kind === 0) return Object.fromEntries(entries.toSpliced(at, 1))
    if (kind === 1) return Object.fromEntries([...entries, [chance.pick(keys), chance.pick(wrong)]])
    if (kind === 2 && entries[at] !== undefined) return Object.fromEntries(entries.with(at, [chance.pick(keys), entries[at][1]]))
    return Object.fromEntries(entries.map(([key, member], i) => [key, i === at ? spoil(member, chance) : member]))
  }
  return structuredClone(chance.pick(wrong))
}

/** How many events are in a body that is good: those that come twice count once. */
function countOf (text: string): number {
  const { eventList = [] } = JSON.parse(text) as { eventList?: Array<{ eventId?: string }> }
  return new Set(eventList.map(({ eventId }, i) => eventId ?? i)).size
}

/** Changes the text itself. */
function spoilText (text: string, chance: SeededRandom): Buffer {
  const bytes = [...Buffer.from(text)]
  for (let i = chance.integer(1, 3); i > 0; i--) {
    const at = chance.integer(0, bytes.length - 1)
    const kind = chance.integer(0, 3)
    if (kind === 0) bytes.splice(at, 1)
    else if (kind === 1) bytes.splice(at, 0, chance.integer(0, 255))
    else if (kind === 2) bytes[at] = chance.integer(0, 255)
    else bytes.length = Math.max(at, 1)
  }
  return Buffer.from(bytes)
}

const numbers = ['1e999', '-0', '0.1e-400', '12345678901234567890', '01', 'NaN', '-']

let made = 0

function fuzzed (chance: SeededRandom): Buffer | string {
  let body = valid(made++)
  for (let i = chance.integer(1, 2); i > 0; i--) body = spoil(body, chance)
  const text = JSON.stringify(body)
  const kind = chance.next()
  if (kind < 0.15) return spoilText(text, chance)
  if (kind < 0.2) return text.replace(/:\d+(\.\d+)?/, `:${chance.pick(numbers)}`)
  return text
}

async function start (t: Test) {
  const { app } = await startGateway(t)
  const recording = recordingTarget()
  addTarget(app, 'store', 'recording', recording)
  return { app, recording }
}

/** The place in the body, and what is wrong there. */
const named = /^(body: is not JSON|body: expected|body\/.*: (expected|is missing|is not a known key|".*" is not))/

const post = async (app: FastifyInstance, url: string, payload: Buffer | string, type = 'application/json') => app.inject({ method: 'POST', url, payload, headers: { 'content-type': type } })

t.test('of 1,000 spoilt bodies each is told what is wrong with it or is taken whole: nothing is our fault, and nothing partly sent', async t => {
  const { app, recording } = await start(t)
  const chance = seededRandom(6)
  const counts = new Map<number, number>()
  for (let i = 0; i < 1_000; i++) {
    const payload = fuzzed(chance)
    const before = recording.events.length
    const { statusCode, body } = await post(app, '/events/store', payload)
    counts.set(statusCode, (counts.get(statusCode) ?? 0) + 1)
    const sent = recording.events.length - before
    const { message, targets } = JSON.parse(body) as { message: string, targets: Record<string, string> }
    const sound = statusCode === 200 || statusCode === 207
      ? typeof targets === 'object' && sent === countOf(payload.toString())
      : statusCode === 400 && sent === 0 && named.test(message)
    if (!sound) t.fail(`${statusCode} ${message}`, { sent, payload: payload.toString().slice(0, 500) })
  }
  t.comment(Object.fromEntries(counts))
  t.ok((counts.get(400) ?? 0) > 500)
  t.ok((counts.get(200) ?? 0) > 50)
})

t.test('and the same among good ones in a batch', async t => {
  const { app, recording } = await start(t)
  const chance = seededRandom(7)
  const counts = new Map<number, number>()
  for (let i = 0; i < 200; i++) {
    const spoilt = Array.from({ length: 5 }, () => fuzzed(chance).toString().replaceAll('\n', ' ').trim() || '0')
    const users = spoilt.map((_, n) => `good-${i}-${n}`)
    const lines = spoilt.flatMap((line, n) => [line, JSON.stringify({ userId: users[n], eventList: [{ eventType: 'view', itemId: 'tea' }] })])
    const before = recording.bodies.length
    const { statusCode, body } = await post(app, '/events/store/batch', lines.join('\n'), 'application/x-ndjson')
    const { results } = JSON.parse(body) as { results: Array<{ status: number, message?: string, targets: object }> }
    for (const { status } of results) counts.set(status, (counts.get(status) ?? 0) + 1)
    const good = results.filter((_, n) => n % 2 === 1)
    const sentUsers = recording.bodies.slice(before).map(({ userId }) => userId!).filter(userId => users.includes(userId))
    const sound = [200, 207].includes(statusCode) && results.length === 10 && good.every(({ status }) => status === 200) &&
      results.every(({ status, message }) => [200, 207].includes(status) || (status === 400 && named.test(message!))) &&
      recording.bodies.length - before <= results.filter(({ status }) => [200, 207].includes(status)).length
    if (!sound || sentUsers.join() !== users.join()) t.fail(`${statusCode}`, { results, sentUsers, lines })
  }
  t.comment(Object.fromEntries(counts))
})

t.test('what is nested as deep as a body is large is refused, or passed over', async t => {
  const { app, recording } = await start(t)
  const deep = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`
  const { statusCode, body } = await post(app, '/events/store', `{"userId":"u","eventList":[{"eventType":"view","properties":${deep}}]}`)
  t.equal(statusCode, 400, body)
  t.match(JSON.parse(body), { message: /^body\/eventList\/0\/properties: expected at most 1024 characters/ })
  t.equal((await post(app, '/events/store', deep)).statusCode, 400)
  t.equal(recording.bodies.length, 0)
})
