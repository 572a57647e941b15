import t from 'tap'
import { startHttpRecommender } from '../support/http-recommender.ts'
import { evenly, startTestedShop, testId } from '../support/tested-shop.ts'
import { turnedClock } from '../support/turned-clock.ts'

const server = await startHttpRecommender(t)
t.beforeEach(() => {
  server.received.length = 0
  server.answer(({ path }) => ({ body: { itemList: [path.split('/')[1], 'c'] } }))
})

t.test('each user gets the variation that the experiment assigns, and the answer names both', async t => {
  const { show, userOf } = await startTestedShop(t, server)
  for (const variation of ['a', 'b']) {
    const shown = await show(await userOf(variation))
    t.equal(shown.variation, variation)
    t.strictSame(shown.items, [variation, 'c'])
    t.strictSame(shown.matchedExperiment, { type: 'weighted', feature: 'test', details: { variation } })
    t.match(shown.recommendationId, /^[\w-]{40}$/)
  }
})

t.test('feature chooses an experiment: an unknown one is 400, an empty one is none, and without it the first running one decides', async t => {
  const experiments = { past: { ...evenly, endsAt: '2026-01-01T00:00:00Z', weights: { b: 1 } }, first: { method: 'weighted', weights: { a: 1 } }, second: { method: 'weighted', weights: { b: 1 } } }
  const { show, app } = await startTestedShop(t, server, { experiments })
  for (const [query, feature] of [['', 'first'], ['?feature=', 'first'], ['?feature=first', 'first'], ['?feature=second', 'second'], ['?feature=past', undefined]] as const) {
    t.equal((await show('u', query)).matchedExperiment?.feature, feature, query)
  }
  for (const url of ['/recommend-items/shop/home/u?feature=nope', '/recommend-items/shop/other/u?feature=first', '/related-items/shop/similar/i?feature=nope', '/assignments/shop/home/u?feature=nope']) {
    const { statusCode, body } = await app.inject(url)
    t.equal(statusCode, 400, url)
    t.match(JSON.parse(body), { code: 'UnknownExperiment', message: /^feature: / })
  }
})

t.test('a request without a user takes part in no experiment', async t => {
  const { app } = await startTestedShop(t, server)
  const without = await app.inject('/related-items/shop/similar/i')
  t.equal(without.headers['x-personalization-variation'], 'a')
  t.notOk('matchedExperiment' in (JSON.parse(without.body) as object))
  t.equal(without.headers['cache-control'], 'public,max-age=1200')
  const withUser = await app.inject('/related-items/shop/similar/i?userId=u')
  t.equal(withUser.headers['x-personalization-variation'], 'b')
})

t.test('an answer under a running experiment is never public, whoever it is for', async t => {
  const { show } = await startTestedShop(t, server, { experiments: { test: { ...evenly, exposure: 0.5 } } })
  for (let i = 0; i < 10; i++) {
    for (const query of ['', '?syntheticUser=1']) t.match((await show(`u${i}`, query)).headers['cache-control'], /^private(,max-age=\d+)?$/)
  }
})

t.test('who is outside of the exposure, the audience or the layer gets the first variation, and does not count', async t => {
  for (const out of [{ exposure: 0 }, { audience: { deviceType: ['tv'] } }, { layer: { name: 'checkout', from: 0, to: 1e-12 } }]) {
    const { show, totals } = await startTestedShop(t, server, { experiments: { test: { method: 'weighted', weights: { b: 1 }, ...out } } })
    const shown = await show('u')
    t.equal(shown.variation, 'a', JSON.stringify(out))
    t.equal(shown.matchedExperiment, undefined)
    t.equal((await totals()).users.size, 0)
  }
})

t.test('the audience is told by the resolved context, given or derived', async t => {
  const experiments = { test: { method: 'weighted', weights: { b: 1 }, audience: { deviceType: ['phone', 'tablet'] } } }
  const { show } = await startTestedShop(t, server, { experiments, more: { autoContext: { deviceType: { type: 'string', rules: [{ type: 'header-value', header: 'x-device' }] } } } })
  t.equal((await show('u', `?context=${encodeURIComponent('{"deviceType":"phone"}')}`)).variation, 'b')
  t.equal((await show('u', '', { 'x-device': 'tablet' })).variation, 'b')
  t.equal((await show('u', '', { 'x-device': 'tv' })).variation, 'a')
  t.equal((await show('u')).variation, 'a')
})

t.test('experiments of one layer share its users: who is in none of the parts before is tried for the next', async t => {
  const part = (from: number, to: number, variation: string): object => ({ method: 'weighted', weights: { [variation]: 1 }, layer: { name: 'page', from, to } })
  const { show } = await startTestedShop(t, server, { experiments: { one: part(0, 0.5, 'a'), two: part(0.5, 1, 'b') } })
  const features = new Set<string | undefined>()
  for (let i = 0; i < 20; i++) {
    const { matchedExperiment, variation } = await show(`u${i}`)
    t.equal(variation, matchedExperiment?.feature === 'one' ? 'a' : 'b')
    features.add(matchedExperiment?.feature)
  }
  t.strictSame([...features].sort(), ['one', 'two'])
})

t.test('an override is served and does not count', async t => {
  const { show, totals } = await startTestedShop(t, server, { experiments: { test: { ...evenly, overrides: { 'tester-1': 'b', 'tester-2': 'a' } } } })
  t.strictSame([(await show('tester-1')).variation, (await show('tester-2')).variation], ['b', 'a'])
  t.equal((await totals()).users.size, 0)
})

t.test('an experiment starts and ends on time, also for URLs that were asked for before', async t => {
  const clock = turnedClock(t)
  const at = (ms: number): string => new Date(Date.now() + ms).toISOString()
  const { show } = await startTestedShop(t, server, { experiments: { test: { method: 'weighted', weights: { b: 1 }, startsAt: at(60_000), endsAt: at(120_000) } } })
  const variations = async (): Promise<string[]> => [(await show('u')).variation, (await show('u')).variation]
  t.strictSame(await variations(), ['a', 'a'])
  clock.pass(61_000)
  t.strictSame(await variations(), ['b', 'b'])
  clock.pass(60_000)
  t.strictSame(await variations(), ['a', 'a'])
})

t.test('what one experiment was served is not served to another, nor outside of one', async t => {
  const experiments = { one: { method: 'weighted', weights: { a: 1 } }, two: { method: 'weighted', weights: { a: 1 } } }
  const { show } = await startTestedShop(t, server, { experiments })
  const ids = new Set<string>()
  for (const query of ['?feature=one', '?feature=two']) {
    const { matchedExperiment, recommendationId } = await show('u', query)
    t.equal(matchedExperiment?.feature, query.slice(9))
    ids.add(recommendationId)
  }
  t.equal(ids.size, 2)
})

t.test('/assignments tells what a user would get, and why, and exposes nothing', async t => {
  const { app, show, totals } = await startTestedShop(t, server, { experiments: { test: { ...evenly, overrides: { me: 'b' } } } })
  const ask = async (url: string): Promise<Record<string, unknown>> => JSON.parse((await app.inject(url)).body) as Record<string, unknown>
  const told = await ask('/assignments/shop/home/u%2F1')
  t.match(told, { action: 'recommend-items', recommender: 'home', userId: 'u/1', experiment: { feature: 'test', method: 'weighted', why: 'assigned', hashes: { a: Number, b: Number } } })
  t.match(await ask('/assignments/shop/home/me'), { variation: 'b', experiment: { why: 'override' } })
  t.match(await ask('/assignments/shop/other/u'), { variation: 'only', experiment: null })
  t.match(await ask('/assignments/shop/none/u'), { code: 'RecommenderNotConfigured' })
  t.match(await ask('/assignments/none/home/u'), { code: 'NamespaceNotFound' })
  t.match(await ask('/assignments/shop/home/u?action=rerank-items'), { code: 'RecommenderNotConfigured' })
  t.equal((await totals()).users.size, 0)
  t.equal(server.received.length, 0, 'no provider is asked')
  t.equal((await show('u/1')).variation, told['variation'])
})

t.test('/explain tells which experiment decides, why, and by which numbers', async t => {
  const { app } = await startTestedShop(t, server, {}, { adminKey: 'k'.repeat(16), openWrites: true } as object)
  const { body } = await app.inject({ url: '/explain/recommend-items/shop/home/u', headers: { 'x-api-key': 'k'.repeat(16) } })
  t.match(JSON.parse(body), { experiment: { feature: 'test', method: 'weighted', why: 'assigned', hashes: { a: Number, b: Number } } })
})

t.test('an experiment has one id in metrics', async t => {
  const { app, show, userOf } = await startTestedShop(t, server)
  await show(await userOf('a'))
  const metrics = await app.metrics.text()
  t.match(metrics, `gateway_experiment_exposures_total{experiment="${testId}",variation="a"} 1`)
})
