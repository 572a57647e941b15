import t, { type Test } from 'tap'
import { itemMetadataTypes } from '../../src/metadata/registry.ts'
import { keysOf, refusal, silence, startDynamo, type Intercept, type TestDynamo } from '../support/dynalite.ts'
import { startGateway } from '../support/gateway.ts'
import { startHttpRecommender } from '../support/http-recommender.ts'
import { ask, cacheControl, shopDocument, type Answer } from '../support/shop.ts'
import { testCatalog } from '../support/test-catalog.ts'
import { turnedClock } from '../support/turned-clock.ts'

const table = 'PersonalizationApiItemMetadata_shop'
const recommender = await startHttpRecommender(t)
recommender.answer(() => ({ body: { itemList: [{ itemId: 'tea' }, { itemId: 'cup' }] } }))

interface DecoratedShop extends TestDynamo {
  ask: () => Promise<Answer>
  pass: (ms: number) => void
}

/** A shop whose items are in DynamoDB, at the test's own time. */
async function startDecoratedShop (t: Test, server: object = { ttl: 60 }): Promise<DecoratedShop> {
  const dynamo = await startDynamo(t)
  await itemMetadataTypes.get('dynamodb')!.load!({ type: 'dynamodb' }, testCatalog({ tea: '{"n":1}', cup: '{"n":2}' }), { dataDir: '', namespace: 'shop' })
  const { pass } = turnedClock(t)
  const home = { variations: { main: { type: 'http', url: `${recommender.url}/{userId}` } }, resilience: { timeout: 500 }, cacheControl: { ...cacheControl, server } }
  const { app } = await startGateway(t, shopDocument({ 'recommend-items': { home } }, { inferenceItemMetadata: { type: 'dynamodb' } }))
  return { ...dynamo, pass, ask: async () => ask(app, '/recommend-items/shop/home/somebody') }
}

const metadataOf = ({ body }: Answer): unknown[] => (body['itemList'] as Array<{ metadata?: unknown }>).map(({ metadata }) => metadata)

function isWhole (t: Test, answer: Answer): void {
  t.match(answer, { status: 200, headers: { 'cache-control': 'private,max-age=10' } })
  t.strictSame(metadataOf(answer), [{ n: 1 }, { n: 2 }])
  t.notOk('x-personalization-undecorated' in answer.headers)
}

function lacks (t: Test, answer: Answer, why: string): void {
  t.match(answer, { status: 200, headers: { 'x-personalization-undecorated': why, 'x-personalization-variation': 'main', 'cache-control': 'private,max-age=2' } })
  t.strictSame(metadataOf(answer), [undefined, undefined])
  t.notOk('x-personalization-degraded' in answer.headers, 'the list itself is what it should be')
}

const troubles: Record<string, [string, Intercept]> = {
  'says nothing': ['timeout', silence],
  throttles: ['throttled', () => refusal('ThrottlingException')],
  'is away': ['unavailable', () => refusal('InternalServerError', 500)]
}

for (const [trouble, [why, intercept]] of Object.entries(troubles)) {
  t.test(`where DynamoDB ${trouble}, the items go out without their metadata, and with it two seconds after that`, async t => {
    const shop = await startDecoratedShop(t)
    shop.intercept(intercept)
    lacks(t, await shop.ask(), why)
    shop.intercept(undefined)
    const kept = await shop.ask()
    lacks(t, kept, why)
    t.match(kept.headers['cache-status'], /hit/, 'a storm of requests costs one lookup')
    shop.pass(2_001)
    isWhole(t, await shop.ask())
    shop.pass(30_000)
    const whole = await shop.ask()
    isWhole(t, whole)
    t.match(whole.headers['cache-status'], /hit/, 'what is whole is kept as long as it should be')
  })
}

t.test('items that were found keep their metadata where others are not served in time', async t => {
  const shop = await startDecoratedShop(t)
  shop.intercept(async ({ body }, pass) => {
    const later = keysOf(body, table).filter(({ id }) => id.S === 'cup')
    const { status, body: answer } = await pass()
    const { Responses } = answer as { Responses: Record<string, Array<{ id: { S: string } }>> }
    return { status, body: { Responses: { [table]: Responses[table]!.filter(({ id }) => id.S !== 'cup') }, UnprocessedKeys: { [table]: { Keys: later } } } }
  })
  const answer = await shop.ask()
  t.match(answer, { status: 200, headers: { 'x-personalization-undecorated': 'throttled', 'cache-control': 'private,max-age=2' } })
  t.strictSame(metadataOf(answer), [{ n: 1 }, undefined])
})

t.test('a new list without metadata goes out, not an old one with it', async t => {
  const shop = await startDecoratedShop(t, { ttl: 10, staleWhileRevalidate: 0, staleIfError: 600 })
  isWhole(t, await shop.ask())
  shop.pass(10_001)
  shop.intercept(() => refusal('InternalServerError', 500))
  const answer = await shop.ask()
  lacks(t, answer, 'unavailable')
  t.match(answer.headers['cache-status'], /fwd=stale/)
})

t.test('after ten lookups in a row that failed requests do not wait for DynamoDB, until one that is made after a second succeeds', async t => {
  const shop = await startDecoratedShop(t, { ttl: 0 })
  const lookups = (): number => shop.callsOf('BatchGetItem').length
  shop.intercept(() => refusal('InternalServerError', 500))
  for (let i = 0; i < 10; i++) lacks(t, await shop.ask(), 'unavailable')
  t.equal(lookups(), 20, 'each was tried twice')
  for (let i = 0; i < 5; i++) lacks(t, await shop.ask(), 'unavailable')
  t.equal(lookups(), 20)

  shop.pass(1_001)
  lacks(t, await shop.ask(), 'unavailable')
  t.equal(lookups(), 22, 'one tries whether it is back')
  lacks(t, await shop.ask(), 'unavailable')
  t.equal(lookups(), 22)

  shop.intercept(undefined)
  lacks(t, await shop.ask(), 'unavailable')
  shop.pass(1_001)
  isWhole(t, await shop.ask())
  isWhole(t, await shop.ask())
})
