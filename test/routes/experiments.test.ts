import t, { type Test } from 'tap'
import type { AppOptions } from '../../src/app.ts'
import type { ExperimentReport } from '../../src/experiments/report.ts'
import type { OpenApiDocument } from '../../src/openapi.ts'
import { startGateway, storeConfig, type TestGateway } from '../support/gateway.ts'
import { needsRedis, startRedis } from '../support/redis-server.ts'

const adminKey = 'an admin key of a test'
const embedded = { type: 'embedded' }
const weighted = { method: 'weighted', weights: { a: 50, b: 50 }, metrics: { ctr: { event: 'click' }, revenue: { event: 'purchase', value: 'eventValue' } } }
const home = (experiments: object): object => ({ home: { variations: { a: embedded, b: embedded }, experiments } })

const config = {
  ...storeConfig,
  namespaces: {
    shop: {
      recommenders: {
        'recommend-items': { ...home({ layout: weighted, blend: { method: 'interleave', variations: ['a', 'b'], metrics: { ctr: { event: 'click' } } } }) },
        'rerank-items': { ...home({ layout: weighted, order: weighted }) }
      },
      eventTargets: [embedded]
    },
    plain: { recommenders: {} }
  }
}

const start = async (t: Test, options: Partial<AppOptions> = {}): Promise<TestGateway> => startGateway(t, config, { adminKey, authentication: {}, ...options })

function asker ({ app }: TestGateway): (path: string) => Promise<{ statusCode: number, body: string, json: <T>() => T }> {
  return async path => app.inject({ url: `/experiments${path}`, headers: { 'x-api-key': adminKey } })
}

/** Shows the home page to users, of whom every third clicks and buys. */
async function visit ({ app }: TestGateway, count: number): Promise<Map<string, string>> {
  const shown = new Map<string, string>()
  await app.inject({ method: 'POST', url: '/events/shop', payload: { userId: 'someone', eventList: [{ eventType: 'view', itemId: 'tea' }, { eventType: 'view', itemId: 'cup' }] } })
  for (let i = 0; i < count; i++) {
    const userId = `user-${i}`
    const { matchedExperiment, recommendationId } = (await app.inject(`/recommend-items/shop/home/${userId}`)).json<{ matchedExperiment: { details: { variation: string } }, recommendationId: string }>()
    shown.set(userId, matchedExperiment.details.variation)
    const of = { itemId: 'tea', recommendationId }
    if (i % 3 === 0) await app.inject({ method: 'POST', url: '/events/shop', payload: { userId, eventList: [{ eventType: 'click', ...of }, { eventType: 'click', ...of }, { eventType: 'purchase', eventValue: 10, ...of }] } })
  }
  await app.experiments.exposures.settled()
  return shown
}

t.test('experiments route: the report counts the users that were exposed, and their events', async t => {
  const gateway = await start(t)
  const shown = await visit(gateway, 30)
  const { statusCode, body } = await asker(gateway)('/shop/home/layout?action=recommend-items')
  t.equal(statusCode, 200, body)
  const report = JSON.parse(body) as ExperimentReport
  const usersOf = (variation: string): string[] => [...shown].filter(([, of]) => of === variation).map(([user]) => user)
  t.match(report, { id: 'shop/recommend-items/home/layout', method: 'weighted', users: 30, multiple: { users: 0, share: 0 }, warnings: [] })
  t.strictSame(report.variations, ['a', 'b'].map(variation => ({ variation, users: usersOf(variation).length, share: 0.5 })))
  const [ctr, revenue] = report.metrics
  for (const { variation, users, converted, rate, sentence } of ctr!.results!) {
    const expected = usersOf(variation).filter(user => Number(user.slice(5)) % 3 === 0).length
    t.strictSame([users, converted, rate], [usersOf(variation).length, expected, expected / users], 'two clicks of a user are one conversion')
    if (variation === 'b') t.match(sentence, /^too little data: a has \d+ of 100 users/)
  }
  t.equal(revenue!.results!.reduce((sum, { mean = 0, users }) => sum + mean * users, 0), 100)
})

t.test('experiments route: the list of a namespace, and that of all', async t => {
  const gateway = await start(t)
  const ask = asker(gateway)
  const ids = async (path: string): Promise<string[]> => (await ask(path)).json<ExperimentReport[]>().map(({ id }) => id)
  const all = ['shop/recommend-items/home/layout', 'shop/recommend-items/home/blend', 'shop/rerank-items/home/layout', 'shop/rerank-items/home/order']
  t.strictSame(await ids('/shop'), all)
  t.strictSame(await ids(''), all)
  t.strictSame(await ids('/plain'), [])
  const { headers } = await gateway.app.inject({ url: '/experiments/shop', headers: { 'x-api-key': adminKey } })
  t.match(headers, { 'cache-control': 'no-store', 'x-personalization-config-version': '7' })
})

t.test('experiments route: the action is needed only where several actions have such an experiment', async t => {
  const ask = asker(await start(t))
  t.match(await ask('/shop/home/layout'), { statusCode: 400, body: /"code":"InvalidParameter","message":"action: is missing; expected one of recommend-items, rerank-items/ })
  for (const action of ['recommend-items', 'rerank-items']) t.equal((await ask(`/shop/home/layout?action=${action}`)).json<ExperimentReport>().action, action)
  t.equal((await ask('/shop/home/order')).json<ExperimentReport>().action, 'rerank-items')
  t.equal((await ask('/shop/home/blend?action=')).json<ExperimentReport>().action, 'recommend-items', 'an empty value counts as absent')
  t.match(await ask('/shop/home/layout?action=nope'), { statusCode: 400, body: /action/ })
})

t.test('experiments route: unknown names are 404, each with its own code', async t => {
  const ask = asker(await start(t))
  t.match(await ask('/nope'), { statusCode: 404, body: /NamespaceNotFound/ })
  t.match(await ask('/nope/home/layout'), { statusCode: 404, body: /NamespaceNotFound/ })
  t.match(await ask('/shop/nope/layout'), { statusCode: 404, body: /RecommenderNotConfigured/ })
  t.match(await ask('/shop/home/layout?action=related-items'), { statusCode: 404, body: /RecommenderNotConfigured.*for related-items/ })
  t.match(await ask('/shop/home/nope'), { statusCode: 404, body: /ExperimentNotFound.*expected one of layout, blend, order/ })
  t.match(await ask('/shop/home/blend?action=rerank-items'), { statusCode: 404, body: /ExperimentNotFound/ })
  t.match(await ask('/shop/home/__proto__'), { statusCode: 404, body: /ExperimentNotFound/ })
})

t.test('experiments route: only administrators, and nobody where there is no key', async t => {
  const { app } = await start(t)
  for (const path of ['/experiments', '/experiments/shop', '/experiments/shop/home/layout', '/experiments/nope']) {
    t.match(await app.inject(path), { statusCode: 401, body: /Unauthorized/ }, path)
    t.match(await app.inject({ url: path, headers: { 'x-api-key': 'wrong' } }), { statusCode: 401 })
  }
  const closed = await start(t, { adminKey: undefined })
  t.match(await closed.app.inject('/experiments/shop'), { statusCode: 401, body: /Unauthorized/ })
})

t.test('experiments route: a blended list is reported by preference', async t => {
  const gateway = await start(t)
  await gateway.app.inject('/recommend-items/shop/home/user-1?feature=blend')
  await gateway.app.experiments.exposures.settled()
  t.match((await asker(gateway)('/shop/home/blend')).json(), { interleaved: ['a', 'b'], users: 1, metrics: [{ measures: 'preference', preference: { users: 1, decided: 0, sentence: /^too little data/ } }] })
})

t.test('experiments route: the OpenAPI document has the experiments there are, for administrators only', async t => {
  const paths = async (config: object, options: object): Promise<string[]> => {
    const { app } = await startGateway(t, config, { authentication: {}, ...options })
    return Object.keys((await app.inject('/docs/json')).json<OpenApiDocument>().paths).filter(path => path.startsWith('/experiments'))
  }
  t.strictSame(await paths(config, { adminKey }), ['/experiments', '/experiments/shop', '/experiments/shop/home/layout', '/experiments/shop/home/blend', '/experiments/shop/home/order'])
  t.strictSame(await paths(config, {}), [])
  t.strictSame(await paths(storeConfig, { adminKey }), [])
})

t.test('experiments route: counts in Redis are the same for all instances, and 503 while it is away', needsRedis, async t => {
  const redis = await startRedis(t)
  const first = await start(t, { redisUrl: redis.url })
  const second = await start(t, { redisUrl: redis.url })
  await visit(first, 9)
  const ask = asker(first)
  const here = (await ask('/shop/home/layout?action=recommend-items')).json<ExperimentReport>()
  t.match(here, { users: 9 })
  t.strictSame((await asker(second)('/shop/home/layout?action=recommend-items')).json(), here)
  await redis.kill()
  const { statusCode, body, headers } = await first.app.inject({ url: '/experiments/shop', headers: { 'x-api-key': adminKey } })
  t.match({ statusCode, body, headers }, { statusCode: 503, body: /ExperimentCountsUnavailable/, headers: { 'retry-after': '1' } })
})
