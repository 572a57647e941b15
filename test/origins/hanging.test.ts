import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { startAws } from '../support/aws.ts'
import { eventually } from '../support/eventually.ts'
import { startHttpRecommender } from '../support/http-recommender.ts'
import { startRawServer } from '../support/raw-server.ts'
import { ask, startShop } from '../support/shop.ts'

const requests = 1000
const timeout = 3000
/** Measured on two idle cores, with provider and clients in the same process: 10 to 140 ms past the timeout; a busy machine takes longer. */
const tolerance = 1500

interface Outcome { status: number, code: unknown, took: number }

/** Asks for so many users, a few in each turn of the event loop, so that it is not the burst itself that takes the time. */
async function askMany (app: FastifyInstance, recommender: string, count = requests): Promise<Outcome[]> {
  const asked: Array<Promise<Outcome>> = []
  for (let i = 0; i < count; i++) {
    asked.push(askOne(app, `/recommend-items/shop/${recommender}/user-${i}`))
    if (i % 10 === 9) await nextTurn()
  }
  return Promise.all(asked)
}

async function askOne (app: FastifyInstance, url: string): Promise<Outcome> {
  const started = performance.now()
  const { status, body } = await ask(app, url)
  return { status, code: body['code'], took: performance.now() - started }
}

function report (t: Test, outcomes: Outcome[], memory: number): void {
  const slowest = Math.max(...outcomes.map(({ took }) => took))
  t.comment(`${outcomes.length} requests: the slowest after ${Math.round(slowest)} ms with a timeout of ${timeout} ms; ${Math.round(memory / 2 ** 20)} MiB more in use`)
  t.ok(slowest < timeout + tolerance, `all answered after ${Math.round(slowest)} ms`)
  t.ok(memory < 200 * 2 ** 20, 'memory is bounded')
}

const memoryInUse = (): number => process.memoryUsage().rss

t.test('a thousand who wait for a provider that hangs are answered at the deadline', async t => {
  const server = await startRawServer(t)
  const variations = { v: { type: 'http', url: `${server.url}/{userId}` } }
  const app = await startShop(t, {
    'recommend-items': {
      wide: { variations, resilience: { timeout, bulkhead: requests, breaker: { failures: 1000, probeInterval: 50 } } },
      narrow: { variations, resilience: { timeout, breaker: { failures: 1000 } } }
    }
  })
  t.ok((await askMany(app, 'narrow', 100)).every(({ status }) => status === 200), 'warmed up')
  server.silent = true
  await t.test('with room for all', async t => {
    server.heads.length = 0
    const before = memoryInUse()
    const outcomes = await askMany(app, 'wide')
    report(t, outcomes, memoryInUse() - before)
    t.ok(outcomes.every(({ status, code }) => status === 504 && code === 'HttpTimeout'))
    t.ok(outcomes.every(({ took }) => took >= timeout - 2), 'none before its time')
    t.equal(server.heads.length, requests)
    t.ok(server.mostConnections() <= 1024, `${server.mostConnections()} sockets`)
  })
  await t.test('and a recovered provider is asked again within the probe interval', async t => {
    server.silent = false
    const recovered = performance.now()
    await eventually('the breaker closes', async () => (await ask(app, '/recommend-items/shop/wide/user-0')).status === 200)
    const took = performance.now() - recovered
    t.ok(took < 50 + tolerance, `${Math.round(took)} ms`)
    t.ok((await askMany(app, 'wide', 100)).every(({ status }) => status === 200))
  })
  await t.test('with the room that there is where nothing is configured', async t => {
    server.silent = true
    server.heads.length = 0
    const outcomes = await askMany(app, 'narrow')
    report(t, outcomes, 0)
    const waited = outcomes.filter(({ code }) => code === 'HttpTimeout')
    const refused = outcomes.filter(({ status, code }) => status === 503 && code === 'TooManyCalls')
    t.equal(waited.length, server.heads.length)
    t.equal(waited.length + refused.length, requests)
    t.ok(waited.length >= 256 && waited.length < requests, `${waited.length} waited`)
  })
})

t.test('a thousand who wait for an SDK client do no worse', async t => {
  const { aws } = await startAws(t)
  aws.behaviours.set('lambda', { failure: 'hang' })
  const variations = { v: { type: 'lambda', arn: 'arn:aws:lambda:us-east-1:123456789012:function:f' } }
  const app = await startShop(t, { 'recommend-items': { r: { variations, resilience: { timeout, bulkhead: requests, breaker: { failures: 1000 } } } } })
  const before = memoryInUse()
  // The first call loads credentials and code.
  await ask(app, '/recommend-items/shop/r/user-0')
  const outcomes = await askMany(app, 'r', requests - 1)
  report(t, outcomes, memoryInUse() - before)
  t.ok(outcomes.every(({ status, code }) => status === 504 && code === 'FunctionTimeout'))
})

t.test('with a hedge all are answered, and well', async t => {
  const server = await startHttpRecommender(t)
  server.misbehave('hang')
  const variations = { remote: { type: 'http', url: server.url }, house: { type: 'embedded' } }
  const app = await startShop(t, { 'recommend-items': { r: { variations, resilience: { timeout, hedge: 'house' } } } }, { eventTargets: [{ type: 'embedded' }] })
  const outcomes = await askMany(app, 'r')
  report(t, outcomes, 0)
  t.ok(outcomes.every(({ status }) => status === 200))
})

t.test('with a fallback all are answered, and only who probes the provider waits for it', async t => {
  const server = await startHttpRecommender(t)
  const variations = { remote: { type: 'http', url: server.url }, house: { type: 'embedded' } }
  const resilience = { timeout: 500, retries: 0, breaker: { failures: 5, probeInterval: 50 } }
  for (const failure of ['reset', '503', 'hang'] as const) {
    server.misbehave(failure)
    const app = await startShop(t, { 'recommend-items': { r: { variations, fallback: ['house'], resilience } } })
    const opening = await askMany(app, 'r', 10)
    const before = server.received.length
    const outcomes: Outcome[] = []
    for (let round = 0; round < 5; round++) outcomes.push(...await askMany(app, 'r', 200))
    const times = outcomes.map(({ took }) => took).sort((a, b) => a - b)
    const at = (share: number): string => times[Math.floor(times.length * share)]!.toFixed(1)
    t.comment(`${failure}: median ${at(0.5)} ms, p99 ${at(0.99)} ms of ${times.length}, many at a time`)
    t.ok([...opening, ...outcomes].every(({ status }) => status === 200), failure)
    const probes = server.received.length - before
    t.ok(probes < 200, `${failure}: the breaker is open, ${probes} probes`)
    const waited = times.filter(took => took >= resilience.timeout - 2).length
    t.ok(waited <= probes, `${failure}: ${waited} waited for as long as the provider may take, with ${probes} probes`)
  }
})
