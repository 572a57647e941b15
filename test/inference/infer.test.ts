import t from 'tap'
import type { CacheControl } from '../../src/config/cache-control.ts'
import type { Plan, VariationPlan } from '../../src/config/plan.ts'
import { infer } from '../../src/inference/infer.ts'
import type { InferenceRequest } from '../../src/inference/request.ts'
import type { OriginRequest } from '../../src/origins/origin.ts'
import { testPlan, testRecommender, testVariation } from '../support/test-plan.ts'

const cacheControl: CacheControl = {
  userSpecified: { maxAge: 1, directives: 'private' },
  syntheticUserSpecified: { maxAge: 2, directives: 'public' },
  noUserSpecified: { maxAge: 3, directives: 'public' }
}

const request: InferenceRequest = {
  action: 'recommend-items', namespace: 'shop', recommender: 'home', userId: 'u', numResults: 2, decorateItems: true, syntheticUser: false, feature: undefined
}

const planOf = (...variations: Array<Partial<VariationPlan>>): Plan =>
  testPlan([testRecommender('recommend-items', 'home', { variations: variations.map((variation, i) => testVariation(`v${i}`, variation)) })])

const list = (body: string): unknown => (JSON.parse(body) as { itemList: unknown }).itemList

t.test('the first variation answers, cut to what was asked', async t => {
  const { body, variation, cacheControl } = await infer(planOf({}, {}), request)
  t.equal(variation, 'v0')
  t.strictSame(list(body), [{ itemId: 'a' }, { itemId: 'b' }])
  t.equal(cacheControl, undefined)
})

t.test('the origin gets the request and a signal', async t => {
  const asked: OriginRequest[] = []
  const origin = { recommend: async (request: OriginRequest, signal: AbortSignal) => { t.notOk(signal.aborted); asked.push(request); return { items: [] } } }
  await infer(planOf({ origin }), request)
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
  await t.rejects(infer(planOf({ origin, timeout: 1 }), request))
  t.ok(ended)
})

t.test('items are decorated where that was asked and there is a store', async t => {
  const asked: string[][] = []
  const itemMetadata = { get: (ids: readonly string[]) => { asked.push([...ids]); return new Map([['a', '{"title":"A"}']]) }, close: async () => {} }
  t.strictSame(list((await infer(planOf({ itemMetadata }), request)).body), [{ itemId: 'a', metadata: { title: 'A' } }, { itemId: 'b' }])
  t.strictSame(asked, [['a', 'b']], 'only what is answered is looked up')
  t.strictSame(list((await infer(planOf({ itemMetadata }), { ...request, decorateItems: false })).body), [{ itemId: 'a' }, { itemId: 'b' }])
  t.equal(asked.length, 1)
})

t.test('the cache policy follows what is known of the user', async t => {
  const plan = planOf({ cacheControl })
  t.equal((await infer(plan, request)).cacheControl, 'private,max-age=1')
  t.equal((await infer(plan, { ...request, syntheticUser: true })).cacheControl, 'public,max-age=2')
  t.equal((await infer(plan, { ...request, userId: undefined, syntheticUser: true })).cacheControl, 'public,max-age=3')
})

t.test('what is not in the configuration is not found, and named', async t => {
  const plan = planOf({})
  for (const namespace of ['nowhere', '', '__proto__', 'constructor']) {
    await t.rejects(infer(plan, { ...request, namespace }), { code: 'NamespaceNotFound', status: 404, message: `namespace: "${namespace}" is not in the configuration` })
  }
  for (const wrong of [{ recommender: 'nothing' }, { action: 'related-items' as const }]) {
    await t.rejects(infer(plan, { ...request, ...wrong }), { code: 'RecommenderNotConfigured', status: 404, message: /^recommender: / })
  }
})

t.test('what the origin says is not hidden', async t => {
  const failure = new Error('broken')
  await t.rejects(infer(planOf({ origin: { recommend: async () => { throw failure } } }), request), failure)
})
