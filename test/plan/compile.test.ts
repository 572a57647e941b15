import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { compile } from '../../src/plan/compile.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { recommenderKey } from '../../src/plan/plan.ts'
import { embeddedDocument } from '../support/config-documents.ts'
import { testBody } from '../support/event-targets.ts'
import { testResources } from '../support/test-resources.ts'

async function compiled (t: Test, document: object) {
  const resources = testResources(t.testdir())
  t.teardown(resources.close)
  const { plan, release } = await compile(parseConfig(JSON.stringify(document), 'test'), 7, resources)
  return { plan, release, resources }
}

const downstream = (maxAge: number) => ({ maxAge, directives: 'private' })
const cacheControl = (maxAge: number) => ({ userSpecified: downstream(maxAge), syntheticUserSpecified: downstream(maxAge), noUserSpecified: downstream(maxAge) })

t.test('a plan has everything of its document', async t => {
  const { plan } = await compiled(t, { ...embeddedDocument(), title: 'T', description: 'D' })
  t.match(plan, { generation: 7, version: '1', title: 'T', description: 'D' })
  t.strictSame([...plan.namespaces.keys()], ['shop'])
  const { recommenders, eventTargets } = plan.namespaces.get('shop')!
  t.strictSame([...recommenders.keys()].sort(), ['recommend-items/home', 'related-items/similar', 'rerank-items/sorted'])
  t.strictSame([...eventTargets.keys()], ['embedded'])
  const home = recommenders.get(recommenderKey('recommend-items', 'home'))!
  t.match(home, { action: 'recommend-items', namespace: 'shop', name: 'home', experiments: new Map([['test', { id: 'shop/recommend-items/home/test', method: 'weighted' }]]) })
  t.strictSame(home.variations.map(({ name, type }) => [name, type]), [['a', 'embedded'], ['b', 'embedded']])
})

t.test('what is inherited comes from the nearest level', async t => {
  const variation = { type: 'embedded' }
  const { plan } = await compiled(t, {
    cacheControl: cacheControl(1),
    resilience: { timeout: 100 },
    inferenceItemMetadata: { type: 'localdb' },
    namespaces: {
      plain: { recommenders: { 'recommend-items': { r: { variations: { v: variation } } } } },
      own: {
        cacheControl: cacheControl(2),
        recommenders: {
          'recommend-items': {
            r: { cacheControl: cacheControl(3), resilience: { retries: 1 }, variations: { v: variation, w: { ...variation, cacheControl: cacheControl(4), resilience: { timeout: 400 } } } },
            s: { variations: { v: variation } }
          }
        }
      }
    }
  })
  const settings = (namespace: string, name: string, at = 0) => {
    const { cacheControl, timeout, itemMetadata } = plan.namespaces.get(namespace)!.recommenders.get(recommenderKey('recommend-items', name))!.variations[at]!
    return [cacheControl('given', false, false), timeout, itemMetadata !== undefined]
  }
  t.strictSame(settings('plain', 'r'), ['private,max-age=1', 100, true])
  t.strictSame(settings('own', 's'), ['private,max-age=2', 100, true])
  t.strictSame(settings('own', 'r', 0), ['private,max-age=3', 5000, true], 'a level that defines resilience takes nothing of it from above')
  t.strictSame(settings('own', 'r', 1), ['private,max-age=4', 400, true])
})

t.test('what the gateway keeps is inherited whole, too', async t => {
  const variations = { v: { type: 'embedded' } }
  const { plan } = await compiled(t, {
    cacheControl: { ...cacheControl(1), server: { ttl: 7, refreshOnEvents: false } },
    namespaces: { shop: { recommenders: { 'recommend-items': { r: { variations }, s: { cacheControl: cacheControl(2), variations } } } } }
  })
  const policyOf = (name: string) => plan.namespaces.get('shop')!.recommenders.get(recommenderKey('recommend-items', name))!.variations[0]!.cachePolicies.given
  t.match(policyOf('r'), { ttl: 7_000, refreshOnEvents: false })
  t.match(policyOf('s'), { ttl: 2_000, refreshOnEvents: true })
})

t.test('a plan has the fingerprint of its document, whatever came before it', async t => {
  const { plan } = await compiled(t, embeddedDocument())
  const { plan: same } = await compiled(t, embeddedDocument())
  const { plan: other } = await compiled(t, { ...embeddedDocument(), description: 'other' })
  t.equal(same.fingerprint, plan.fingerprint)
  t.not(other.fingerprint, plan.fingerprint)
})

t.test('variations and targets of a namespace share one recommender, which learns', async t => {
  const { plan } = await compiled(t, embeddedDocument())
  const { recommenders, eventTargets } = plan.namespaces.get('shop')!
  const views = (userId: string, ...itemIds: string[]) => testBody([], { userId, events: itemIds.map(itemId => ({ eventId: `${userId}-${itemId}`, idGiven: true, userId, itemId, eventType: 'view', sentAt: 1000 })) })
  for (const body of [views('v', 'x', 'y'), views('u', 'x')]) t.equal(await eventTargets.get('embedded')!.deliver(body), undefined)
  const origin = recommenders.get(recommenderKey('related-items', 'similar'))!.variations[0]!.origin
  const request = { action: 'related-items', namespace: 'shop', recommender: 'similar', itemId: 'x', numResults: 5, decorateItems: false } as const
  t.match(await origin.recommend(request, AbortSignal.timeout(1000)), { items: [{ itemId: 'y' }] })
})

t.test('event targets are called by their type, numbered from the second on', async t => {
  const stream = { type: 'kinesis-stream', streamName: 's' }
  const { plan } = await compiled(t, { namespaces: { n: { eventTargets: [stream, { type: 'embedded' }, stream] } } })
  t.strictSame([...plan.namespaces.get('n')!.eventTargets.keys()], ['kinesis-stream', 'embedded', 'kinesis-stream-2'])
})

t.test('everything held is released with the plan, once', async t => {
  const { resources, release } = await compiled(t, { ...embeddedDocument(), inferenceItemMetadata: { type: 'localdb' } })
  t.ok(resources.held > 0)
  release()
  release()
  t.equal(resources.held, 0)
})

t.test('where something cannot be opened nothing stays held', async t => {
  const dataDir = t.testdir()
  mkdirSync(join(dataDir, 'items', 'shop'), { recursive: true })
  writeFileSync(join(dataDir, 'items', 'shop', 'CURRENT'), 'generation-that-is-gone')
  const resources = testResources(dataDir)
  t.teardown(resources.close)
  const document = { ...embeddedDocument(), namespaces: { before: structuredClone(embeddedDocument().namespaces.shop), shop: { ...embeddedDocument().namespaces.shop, inferenceItemMetadata: { type: 'localdb' } } } }
  await t.rejects(compile(parseConfig(JSON.stringify(document), 'test'), 1, resources))
  t.equal(resources.held, 0)
})
