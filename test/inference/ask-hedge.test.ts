import { setImmediate as settled } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { VariationPlan } from '../../src/plan/plan.ts'
import type { Answered } from '../../src/inference/ask.ts'
import { infer, prepare } from '../../src/inference/infer.ts'
import type { InferenceRequest } from '../../src/inference/request.ts'
import type { OriginAnswer, OriginRequest } from '../../src/origins/origin.ts'
import { OriginError, type OriginFailure } from '../../src/origins/origin-error.ts'
import { askOrFallBack } from '../support/ask-or-fall-back.ts'
import { testSurroundings } from '../support/surroundings.ts'
import { eventually } from '../support/eventually.ts'
import { testCache, testPolicies } from '../support/test-cache.ts'
import { testPlan, testRecommender, testVariation } from '../support/test-plan.ts'

const request: OriginRequest = { action: 'recommend-items', namespace: 'shop', recommender: 'home', userId: 'u', numResults: 3, decorateItems: true }
const aLongTime = 20_000

interface Call {
  request: OriginRequest
  signal: AbortSignal
  at: number
  answer: (itemId: string) => void
  fail: (failure: OriginFailure) => void
}

/** An origin that answers when the test says so. */
function manual (): { calls: Call[], recommend: VariationPlan['origin']['recommend'] } {
  const calls: Call[] = []
  return {
    calls,
    recommend: async (request, signal) => new Promise<OriginAnswer>((resolve, reject) => {
      calls.push({
        request,
        signal,
        at: performance.now(),
        answer: itemId => resolve({ items: [{ itemId }] }),
        fail: failure => reject(new OriginError('Http', failure))
      })
    })
  }
}

interface Hedged {
  provider: ReturnType<typeof manual>
  /** When the hedge was worked out. */
  prepared: number[]
  onPrepared: (act: () => void) => void
  answered: (more?: Partial<OriginRequest>) => Promise<Answered>
  /** What came late. */
  late: Answered[]
  /** Asks through the cache, as a request does. */
  served: (more?: Partial<InferenceRequest>) => Promise<Served>
  raise: (userId: string) => Promise<void>
}

interface Served {
  variation: string
  degraded: string | undefined
  items: unknown
}

function hedged (timeout: number, { p95, hedge }: { p95?: number, hedge?: VariationPlan['origin']['recommend'] } = {}): Hedged {
  const provider = manual()
  const prepared: number[] = []
  let act = (): void => {}
  const late: Answered[] = []
  const { cache, versions } = testCache()
  const latencies = { p95: () => p95, add: () => {} }
  const recommend: VariationPlan['origin']['recommend'] = hedge ?? (async () => {
    prepared.push(performance.now())
    act()
    return { items: [{ itemId: 'hedge' }] }
  })
  const variations = [
    testVariation('provider', { origin: { recommend: provider.recommend, latencies }, timeout, hedge: 'hedge', fallback: ['last'], cachePolicies: testPolicies }),
    testVariation('hedge', { origin: { recommend }, local: true }),
    testVariation('last', { origin: { recommend: async () => ({ items: [{ itemId: 'last' }] }) }, local: true })
  ]
  const recommender = testRecommender('recommend-items', 'home', { variations })
  const plan = testPlan([recommender])
  return {
    provider,
    prepared,
    late,
    onPrepared: then => { act = then },
    answered: async more => askOrFallBack(recommender, { ...request, ...more }, AbortSignal.timeout(timeout), answer => { late.push(answer) }),
    async served (more) {
      const { entry } = await infer(prepare(plan, { ...request, syntheticUser: false, feature: undefined, ...more }, testSurroundings(), true), cache)
      const { itemList } = JSON.parse(entry.body.toString()) as { itemList: unknown }
      return { variation: entry.variation, degraded: entry.degraded, items: itemList }
    },
    raise: async userId => versions.raise({ namespace: 'shop', userId })
  }
}

function isFrom (t: Test, { variation, degraded, answer }: Answered, name: string, itemId: string, why?: OriginFailure): void {
  t.strictSame({ name: variation.name, degraded, items: answer.items }, { name, degraded: why, items: [{ itemId }] })
}

const byHedge = { variation: 'hedge', degraded: 'timeout', items: [{ itemId: 'hedge' }] }

const unhandled: unknown[] = []
process.on('unhandledRejection', reason => unhandled.push(reason))

t.test('a provider that hangs is stood in for at the deadline, and not before', async t => {
  const timeout = 80
  const { answered } = hedged(timeout)
  const started = performance.now()
  const answer = await answered()
  const took = performance.now() - started
  isFrom(t, answer, 'hedge', 'hedge', 'timeout')
  t.ok(took >= timeout - 2, `not before: ${took} ms`)
  t.ok(took < timeout + 400, `at it: ${took} ms`)
})

t.test('a provider that is slower than it is wont to be has its hedge worked out by the deadline', async t => {
  const { answered, prepared } = hedged(400, { p95: 10 })
  const started = performance.now()
  isFrom(t, await answered(), 'hedge', 'hedge', 'timeout')
  t.equal(prepared.length, 1, 'once')
  t.ok(prepared[0]! - started < 350, `before the deadline: ${prepared[0]! - started} ms`)
  t.ok(performance.now() - started >= 398, 'and it is served no sooner')
})

t.test('the provider wins as long as it is in time, hedge or no hedge', async t => {
  const { answered, provider, prepared, onPrepared } = hedged(aLongTime, { p95: 5 })
  onPrepared(() => provider.calls[0]!.answer('provider'))
  isFrom(t, await answered(), 'provider', 'provider')
  t.equal(prepared.length, 1, 'the hedge was worked out for nothing')
})

t.test('a provider that is as fast as ever costs no hedge', async t => {
  const { answered, provider, prepared } = hedged(aLongTime, { p95: 5_000 })
  const answer = answered()
  provider.calls[0]!.answer('provider')
  isFrom(t, await answer, 'provider', 'provider')
  t.equal(prepared.length, 0)
})

t.test('where the provider fails before the deadline, the hedge is served at once', async t => {
  for (const failure of ['unavailable', 'throttled', 'circuit-open', 'overloaded', 'invalid-answer', 'refused'] as const) {
    const { answered, provider } = hedged(aLongTime)
    const started = performance.now()
    const answer = answered()
    provider.calls[0]!.fail(failure)
    isFrom(t, await answer, 'hedge', 'hedge', failure)
    t.ok(performance.now() - started < 1000, failure)
  }
})

t.test('what the caller did wrong is told the caller, hedge or no hedge', async t => {
  const { answered, provider, prepared } = hedged(aLongTime)
  const answer = answered()
  provider.calls[0]!.fail('bad-request')
  await t.rejects(answer, { code: 'HttpBadRequest', status: 400 })
  t.equal(prepared.length, 0)
})

t.test('where the hedge fails, too, there are the fallbacks', async t => {
  const hedge = async (): Promise<never> => { throw new OriginError('Http', 'unavailable') }
  const { answered, provider } = hedged(aLongTime, { hedge })
  const answer = answered()
  provider.calls[0]!.fail('throttled')
  isFrom(t, await answer, 'last', 'last', 'throttled')
})

t.test('an answer that comes late is handed on, and in time it is not', async t => {
  const { answered, provider, late } = hedged(20)
  isFrom(t, await answered(), 'hedge', 'hedge', 'timeout')
  t.notOk(provider.calls[0]!.signal.aborted, 'the provider goes on after the deadline')
  t.strictSame(late, [])
  provider.calls[0]!.answer('late')
  await settled()
  t.equal(late.length, 1)
  isFrom(t, late[0]!, 'provider', 'late')
  const inTime = answered()
  provider.calls[1]!.answer('in time')
  isFrom(t, await inTime, 'provider', 'in time')
  await settled()
  t.equal(late.length, 1)
})

t.test('an answer that comes late is there for the next who asks the same', async t => {
  const { served, provider } = hedged(20)
  t.strictSame(await served(), byHedge)
  provider.calls[0]!.answer('late')
  await settled()
  t.strictSame(await served(), { variation: 'provider', degraded: undefined, items: [{ itemId: 'late' }] })
  t.equal(provider.calls.length, 1)
  t.strictSame(await served({ userId: 'another' }), byHedge)
  t.strictSame(await served({ numResults: 4 }), byHedge)
  t.equal(provider.calls.length, 3)
})

t.test('an answer that came late is out of date with the next event of the user', async t => {
  const { served, provider, raise } = hedged(20)
  await served()
  provider.calls[0]!.answer('late')
  await settled()
  await raise('u')
  t.strictSame(await served(), byHedge)
  t.equal(provider.calls.length, 2)
})

t.test('an answer that was asked for before an event and came after it is out of date, too', async t => {
  const { served, provider, raise } = hedged(20)
  await served()
  await raise('u')
  provider.calls[0]!.answer('late')
  await settled()
  t.strictSame(await served(), byHedge)
  t.equal(provider.calls.length, 2)
})

t.test('a failure that comes late is nobody\'s business', async t => {
  const { answered, provider } = hedged(20)
  isFrom(t, await answered(), 'hedge', 'hedge', 'timeout')
  provider.calls[0]!.fail('unavailable')
  await settled()
  t.strictSame(unhandled, [])
})

t.test('a provider that never answers is not waited for without end', async t => {
  const { answered, provider } = hedged(20)
  await answered()
  const { signal } = provider.calls[0]!
  t.notOk(signal.aborted)
  await eventually('the call is ended', () => signal.aborted)
})

t.test('of all that, no rejection was left unhandled', async t => {
  t.strictSame(unhandled, [])
})
