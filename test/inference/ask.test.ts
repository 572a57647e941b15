import t, { type Test } from 'tap'
import type { VariationPlan } from '../../src/plan/plan.ts'
import { compileContext } from '../../src/context/resolve.ts'
import type { Answered } from '../../src/inference/ask.ts'
import type { Origin, OriginRequest } from '../../src/origins/origin.ts'
import { failureRules, OriginError, type OriginFailure } from '../../src/origins/origin-error.ts'
import { askOrFallBack } from '../support/ask-or-fall-back.ts'
import { testRecommender, testVariation } from '../support/test-plan.ts'

const request: OriginRequest = { action: 'recommend-items', namespace: 'shop', recommender: 'home', userId: 'u', numResults: 3, decorateItems: true }
const soon = (): AbortSignal => new AbortController().signal

const answering = (itemId: string): Origin => ({ recommend: async () => ({ items: [{ itemId }] }) })
const failing = (failure: OriginFailure, options?: ConstructorParameters<typeof OriginError>[2]): Origin => ({ recommend: async () => { throw new OriginError('Http', failure, options) } })

/** Variations by name; every call is noted, in order. */
function variationsOf (origins: Record<string, Origin>, more: Record<string, Partial<VariationPlan>> = {}): { variations: VariationPlan[], asked: string[], signals: Map<string, AbortSignal> } {
  const asked: string[] = []
  const signals = new Map<string, AbortSignal>()
  const variations = Object.entries(origins).map(([name, { recommend }]) => testVariation(name, {
    origin: {
      async recommend (request, signal) {
        asked.push(name)
        signals.set(name, signal)
        return recommend(request, signal)
      }
    },
    ...more[name]
  }))
  return { variations, asked, signals }
}

async function answered (variations: VariationPlan[], deadline = soon()): Promise<Answered> {
  return askOrFallBack(testRecommender('recommend-items', 'home', { variations }), request, deadline)
}

function isFrom (t: Test, { variation, degraded, answer }: Answered, name: string, why?: OriginFailure): void {
  t.equal(variation.name, name)
  t.equal(degraded, why)
  t.strictSame(answer.items, [{ itemId: name }])
}

t.test('where the first variation answers, nothing else is asked', async t => {
  const { variations, asked } = variationsOf({ a: answering('a'), b: answering('b') }, { a: { fallback: ['b'] } })
  isFrom(t, await answered(variations), 'a')
  t.strictSame(asked, ['a'])
})

t.test('fallbacks are asked in their order, until one answers', async t => {
  const origins = { a: failing('unavailable'), b: answering('b'), c: failing('throttled'), d: answering('d') }
  const { variations, asked } = variationsOf(origins, { a: { fallback: ['c', 'd', 'b'] } })
  isFrom(t, await answered(variations), 'd', 'unavailable')
  t.strictSame(asked, ['a', 'c', 'd'])
})

t.test('nothing is asked twice', async t => {
  const { variations, asked } = variationsOf({ a: failing('unavailable'), b: failing('unavailable') }, { a: { fallback: ['a', 'b', 'a', 'b', 'nobody'] } })
  await t.rejects(answered(variations), { code: 'HttpUnavailable' })
  t.strictSame(asked, ['a', 'b'])
})

t.test('every failure has its fallback, except what the caller did wrong', async t => {
  for (const failure of Object.keys(failureRules) as OriginFailure[]) {
    const { variations, asked } = variationsOf({ a: failing(failure, { message: 'itemId: is wrong' }), b: answering('b') }, { a: { fallback: ['b'] } })
    if (failure === 'bad-request') {
      await t.rejects(answered(variations), { name: 'GatewayError', code: 'HttpBadRequest', status: 400, message: 'itemId: is wrong' })
      t.strictSame(asked, ['a'])
    } else {
      isFrom(t, await answered(variations), 'b', failure)
    }
  }
})

t.test('where nothing answers, the first failure is what is told', async t => {
  const origins = { a: failing('throttled', { message: 'first' }), b: failing('unavailable'), c: failing('bad-request') }
  const { variations } = variationsOf(origins, { a: { fallback: ['b', 'c'] } })
  await t.rejects(answered(variations), { name: 'GatewayError', code: 'HttpThrottled', status: 429, message: 'first', retryAfter: 1 })
})

t.test('after the deadline only what is in this process is asked', async t => {
  const deadline = new AbortController()
  const late: Origin = {
    async recommend () {
      deadline.abort()
      throw new OriginError('Http', 'timeout')
    }
  }
  const { variations, asked, signals } = variationsOf({ a: late, remote: answering('remote'), local: answering('local') }, { a: { fallback: ['remote', 'local'] }, local: { local: true } })
  isFrom(t, await answered(variations, deadline.signal), 'local', 'timeout')
  t.strictSame(asked, ['a', 'local'])
  t.notOk(signals.get('local')!.aborted, 'which does not wait, and so has no deadline')
  t.equal(signals.get('a'), deadline.signal)
})

t.test('all that is asked has the one deadline', async t => {
  const deadline = soon()
  const { variations, signals } = variationsOf({ a: failing('unavailable'), b: failing('unavailable'), c: answering('c') }, { a: { fallback: ['b', 'c'] } })
  isFrom(t, await answered(variations, deadline), 'c', 'unavailable')
  for (const name of ['a', 'b', 'c']) t.equal(signals.get(name), deadline, name)
})

t.test('a mistake of ours is not taken for a failure of a provider', async t => {
  const mistake = new TypeError('ours')
  const broken: Origin = { recommend: async () => { throw mistake } }
  const first = variationsOf({ a: broken, b: answering('b') }, { a: { fallback: ['b'] } })
  await t.rejects(answered(first.variations), mistake)
  t.strictSame(first.asked, ['a'])
  const second = variationsOf({ a: failing('unavailable'), b: broken }, { a: { fallback: ['b'] } })
  await t.rejects(answered(second.variations), mistake)
})

t.test('each variation has its own filters', async t => {
  const filters: unknown[] = []
  const noting = (then: Origin): Origin => ({
    async recommend (request, signal) {
      filters.push(request.filter)
      return then.recommend(request, signal)
    }
  })
  const arn = (name: string): string => `arn:aws:personalize:us-east-1:123456789012:filter/${name}`
  const { variations } = variationsOf({ a: noting(failing('unavailable')), b: noting(answering('b')), c: answering('c') }, { a: { fallback: ['b'], contextRules: compileContext(undefined, [{ arn: arn('a') }]) }, b: { contextRules: compileContext(undefined, [{ arn: arn('b') }]) } })
  await answered(variations)
  t.strictSame(filters, [arn('a'), arn('b')])
})
