import t from 'tap'
import type { Found } from '../../src/cache/cache.ts'
import { noCache } from '../../src/cache/policy.ts'
import type { Plan, VariationPlan } from '../../src/plan/plan.ts'
import { infer, prepare } from '../../src/inference/infer.ts'
import type { InferenceRequest } from '../../src/inference/request.ts'
import type { OriginRequest } from '../../src/origins/origin.ts'
import { testCache, testPolicies } from '../support/test-cache.ts'
import { testSurroundings } from '../support/surroundings.ts'
import { testPlan, testRecommender, testVariation } from '../support/test-plan.ts'

const request: InferenceRequest = {
  action: 'recommend-items', namespace: 'shop', recommender: 'home', userId: 'u', numResults: 2, decorateItems: true, syntheticUser: false, feature: undefined
}

const planOf = (...variations: Array<Partial<VariationPlan>>): Plan =>
  testPlan([testRecommender('recommend-items', 'home', { variations: variations.map((variation, i) => testVariation(`v${i}`, variation)) })])

const answer = async (plan: Plan, request: InferenceRequest): Promise<Found> => infer(prepare(plan, request, testSurroundings(), true), testCache().cache)
const list = ({ entry }: Found): unknown => (JSON.parse(entry.body.toString()) as { itemList: unknown }).itemList

t.test('the first variation answers, cut to what was asked', async t => {
  const found = await answer(planOf({}, {}), request)
  t.match(found, { from: 'origin', entry: { variation: 'v0', degraded: undefined } })
  t.strictSame(list(found), [{ itemId: 'a' }, { itemId: 'b' }])
})

t.test('the origin gets the request and a signal', async t => {
  const asked: OriginRequest[] = []
  const origin = { recommend: async (request: OriginRequest, signal: AbortSignal) => { t.notOk(signal.aborted); asked.push(request); return { items: [] } } }
  await answer(planOf({ origin }), request)
  t.match(asked, [{ action: 'recommend-items', namespace: 'shop', recommender: 'home', userId: 'u', numResults: 2 }])
})

t.test('the signal ends an origin that is too slow', async t => {
  let ended = false
  const origin = {
    recommend: async (_request: OriginRequest, signal: AbortSignal) => new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => { ended = true; reject(signal.reason as Error) })
    })
  }
  // The timer behind a signal keeps no process alive.
  const alive = setInterval(() => {}, 1000)
  t.teardown(() => clearInterval(alive))
  await t.rejects(answer(planOf({ origin, timeout: 1 }), request))
  t.ok(ended)
})

t.test('items are decorated where that was asked and there is a store', async t => {
  const asked: string[][] = []
  const itemMetadata = { get: (ids: readonly string[]) => { asked.push([...ids]); return new Map([['a', '{"title":"A"}']]) }, close: async () => {} }
  t.strictSame(list(await answer(planOf({ itemMetadata }), request)), [{ itemId: 'a', metadata: { title: 'A' } }, { itemId: 'b' }])
  t.strictSame(asked, [['a', 'b']], 'only what is answered is looked up')
  t.strictSame(list(await answer(planOf({ itemMetadata }), { ...request, decorateItems: false })), [{ itemId: 'a' }, { itemId: 'b' }])
  t.equal(asked.length, 1)
})

t.test('what is kept, and whose events matter, is settled beforehand', async t => {
  const plan = planOf({ cachePolicies: testPolicies })
  const { lookup, variation } = prepare(plan, request, testSurroundings(), true)
  t.equal(variation.name, 'v0')
  t.match(lookup, { user: { namespace: 'shop', userId: 'u' }, policy: testPolicies.given })
  t.strictSame(prepare(plan, request, testSurroundings(), false).lookup, { ...lookup, policy: noCache })
  t.equal(prepare(plan, { ...request, userId: undefined }, testSurroundings(), true).lookup.user, undefined)
  t.not(prepare({ ...plan, fingerprint: 'another' }, request, testSurroundings(), true).lookup.key, lookup.key)
})

t.test('an answer is made once and then kept, where it may be', async t => {
  let calls = 0
  const origin = { recommend: async () => ({ items: [{ itemId: `call-${++calls}` }] }) }
  const plan = planOf({ origin, cachePolicies: testPolicies })
  const { cache } = testCache()
  const served = async (kept: boolean): Promise<unknown> => list(await infer(prepare(plan, request, testSurroundings(), kept), cache))
  t.strictSame(await served(false), [{ itemId: 'call-1' }])
  t.strictSame(await served(false), [{ itemId: 'call-2' }], 'what may not be kept is not')
  t.strictSame(await served(true), [{ itemId: 'call-3' }])
  t.strictSame(await served(true), [{ itemId: 'call-3' }])
})

t.test('how an answer came about is known of the one that was made, stage by stage', async t => {
  const { cache } = testCache()
  const inference = prepare(planOf({ cachePolicies: testPolicies }), request, testSurroundings(), true)
  t.match((await infer(inference, cache)).timing, /^origin;dur=\d+\.\d{3}(, [a-z-]+;dur=\d+\.\d{3})*$/)
  t.equal((await infer(inference, cache)).timing, undefined)
})

t.test('what is not in the configuration is not found, and named', async t => {
  const plan = planOf({})
  for (const namespace of ['nowhere', '', '__proto__', 'constructor']) {
    t.throws(() => prepare(plan, { ...request, namespace }, testSurroundings(), true), { code: 'NamespaceNotFound', status: 404, message: `namespace: "${namespace}" is not in the configuration` })
  }
  for (const wrong of [{ recommender: 'nothing' }, { action: 'related-items' as const }]) {
    t.throws(() => prepare(plan, { ...request, ...wrong }, testSurroundings(), true), { code: 'RecommenderNotConfigured', status: 404, message: /^recommender: / })
  }
})

t.test('what the origin says is not hidden', async t => {
  const failure = new Error('broken')
  await t.rejects(answer(planOf({ origin: { recommend: async () => { throw failure } } }), request), failure)
})
