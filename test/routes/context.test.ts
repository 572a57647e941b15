import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import type { EventsBody } from '../../src/targets/event.ts'
import { arn } from '../docker/aws-local/start.ts'
import { startAws } from '../support/aws.ts'
import { cachedDocument, get, isHit } from '../support/cached-shop.ts'
import { addTarget, recordingTarget } from '../support/event-targets.ts'
import { startGateway } from '../support/gateway.ts'
import { startHttpRecommender } from '../support/http-recommender.ts'
import { service } from '../support/personalize-contract.ts'

const server = await startHttpRecommender(t)
t.beforeEach(() => {
  server.misbehave()
  server.received.length = 0
  // The answer is what was asked in: what one request gets and another must not get shows in it.
  server.answer(({ body }) => ({ body: { itemList: [JSON.stringify((body as Asked).context ?? null)] } }))
})

interface Asked {
  context?: Record<string, string>
}

const url = '/recommend-items/shop/r/u'
const noon = Date.parse('2026-01-14T12:00:00Z')
const rule = (header: string): object => ({ type: 'header-value', header })
const country = { country: { type: 'string', rules: [rule('CloudFront-Viewer-Country')] } }
const main = { type: 'http', url: server.url, method: 'POST', request: '$' }
const contexts = (): unknown[] => server.received.map(({ body }) => (body as Asked).context)
const itemOf = (body: string): unknown => (JSON.parse(body) as { itemList: Array<{ itemId: string }> }).itemList[0]!.itemId

type Options = Parameters<typeof startGateway>[2]

/** A gateway whose one recommender has variations of the test. */
async function start (t: Test, recommender: object, options: Options = {}): Promise<FastifyInstance> {
  const r = { variations: { main }, ...recommender }
  const { app } = await startGateway(t, {
    ...cachedDocument(server),
    namespaces: { shop: { recommenders: { 'recommend-items': { r }, 'related-items': { r }, 'rerank-items': { r } } } }
  }, { now: () => noon, ...options })
  return app
}

t.test('a provider gets what the rules derive', async t => {
  const app = await start(t, {
    autoContext: {
      ...country,
      device: { type: 'string', default: 'desktop', rules: [{ ...rule('CloudFront-Is-Mobile-Viewer'), valueMappings: [{ operator: 'equals', value: 'true', mapTo: 'phone' }] }] },
      hour: { type: 'integer', rules: [{ type: 'hour-of-day' }] },
      season: { type: 'integer', rules: [{ type: 'season' }] }
    }
  })
  await get(app, url, { 'CloudFront-Viewer-Country': 'AU', 'CloudFront-Is-Mobile-Viewer': 'true', 'CloudFront-Viewer-Time-Zone': 'Australia/Sydney', 'CloudFront-Viewer-Latitude': '-33.86880' })
  await get(app, url)
  await get(app, `${url}?context=${encodeURIComponent('{"country":"NZ","page":"home"}')}`, { 'CloudFront-Viewer-Country': 'AU' })
  t.strictSame(contexts(), [
    { country: 'AU', device: 'phone', hour: '23', season: '1' },
    { device: 'desktop', hour: '12', season: '3' },
    { country: 'NZ', page: 'home', device: 'desktop', hour: '12', season: '3' }
  ])
})

t.test('rules hold for every action, and for a user and for nobody', async t => {
  server.answer(() => ({ body: { itemList: ['a'], personalizedRanking: ['a'] } }))
  const app = await start(t, { autoContext: country })
  const headers = { 'cloudfront-viewer-country': 'CH' }
  const answers = [
    await get(app, '/related-items/shop/r/i', headers),
    await get(app, '/rerank-items/shop/r/u/a,b', headers),
    await app.inject({ method: 'POST', url: '/rerank-items/shop/r/u', headers, payload: ['b', 'c'] })
  ]
  for (const { statusCode, headers, body } of answers) t.match([statusCode, headers.vary], [200, 'cloudfront-viewer-country'], body)
  t.strictSame(contexts(), [{ country: 'CH' }, { country: 'CH' }, { country: 'CH' }])
})

t.test('where nobody tells the zone of a user, it is the one of the settings', async t => {
  const app = await start(t, { autoContext: { hour: { type: 'integer', rules: [{ type: 'hour-of-day' }] } } }, { timeZone: 'Asia/Kathmandu' })
  for (const zone of [undefined, 'Mars/Olympus', '']) await get(app, `${url}?numResults=${server.received.length + 1}`, zone === undefined ? {} : { 'cloudfront-viewer-time-zone': zone })
  t.strictSame(contexts(), [{ hour: '17' }, { hour: '17' }, { hour: '17' }])
})

t.test('Vary names the headers that rules read, and no others', async t => {
  const varied = async (recommender: object): Promise<unknown> => (await get(await start(t, recommender), url)).headers.vary
  t.equal(await varied({}), undefined)
  t.equal(await varied({ autoContext: {} }), undefined)
  t.equal(await varied({ autoContext: { a: { type: 'string', default: 'x', rules: [] } } }), undefined)
  t.equal(await varied({ autoContext: country }), 'cloudfront-viewer-country')
  t.equal(await varied({ autoContext: { hour: { type: 'integer', rules: [{ type: 'hour-of-day' }] } } }), 'cloudfront-viewer-time-zone')
  t.equal(await varied({ autoContext: { ...country, season: { type: 'integer', rules: [{ type: 'season' }, rule('X-Season'), rule('x-season')] } } }),
    'cloudfront-viewer-country, cloudfront-viewer-time-zone, x-season, x-viewer-hemisphere', 'the latitude would give each viewer an entry of his own downstream')
  t.equal(await varied({ autoContext: { latitude: { type: 'float', rules: [rule('CloudFront-Viewer-Latitude')] } } }), 'cloudfront-viewer-latitude', 'a rule that asks for it')
  t.equal(await varied({ filters: [{ arn: arn('filter/f'), condition: 'user-required', autoDynamicFilterValues: { A: { type: 'string', rules: [rule('X-Filter')] } } }] }), 'x-filter')
})

t.test('one URL has an answer for each context', async t => {
  const app = await start(t, { autoContext: country })
  const swiss = { 'cloudfront-viewer-country': 'CH' }
  const french = { 'cloudfront-viewer-country': 'FR' }
  const [one, other, neither] = [await get(app, url, swiss), await get(app, url, french), await get(app, url)]
  t.strictSame([one, other, neither].map(({ body }) => itemOf(body)), ['{"country":"CH"}', '{"country":"FR"}', 'null'])
  t.equal(new Set([one, other, neither].map(({ headers }) => headers.etag)).size, 3)
  for (const [headers, first] of [[swiss, one], [french, other], [{}, neither]] as const) {
    for (const method of ['GET', 'HEAD', 'GET'] as const) {
      const again = await get(app, url, headers, method)
      t.ok(isHit(again))
      t.match(again.headers, { etag: first.headers.etag, vary: 'cloudfront-viewer-country' })
      if (method === 'GET') t.equal(again.body, first.body)
    }
    for (const method of ['GET', 'HEAD'] as const) {
      const same = await get(app, url, { ...headers, 'if-none-match': String(first.headers.etag) }, method)
      t.equal(same.statusCode, 304)
      t.ok(isHit(same))
      t.equal(same.headers.vary, 'cloudfront-viewer-country')
    }
  }
  t.equal((await get(app, url, { ...french, 'if-none-match': String(one.headers.etag) })).statusCode, 200, 'what another has is not what this one is to have')
  t.equal(server.received.length, 3)
})

t.test('headers that lead to the same context share an answer, and those that no rule reads do not matter', async t => {
  const isPhone = { ...rule('User-Agent'), valueMappings: [{ operator: 'contains', value: 'Mobile', mapTo: 'phone' }] }
  const app = await start(t, { autoContext: { device: { type: 'string', rules: [isPhone] } } })
  await get(app, url, { 'user-agent': 'A Mobile 1' })
  t.ok(isHit(await get(app, url, { 'user-agent': 'B Mobile 2', 'cloudfront-viewer-country': 'CH' })))
  t.ok(isHit(await get(app, `${url}?context=${encodeURIComponent('{"device":"phone"}')}`, { 'user-agent': 'desktop' })), 'said or derived, it is the same')
  t.notOk(isHit(await get(app, url, { 'user-agent': 'desktop' })))
})

t.test('an answer made in one hour is not one for the next', async t => {
  let now = Date.parse('2026-01-14T12:59:59Z')
  const app = await start(t, { autoContext: { hour: { type: 'integer', rules: [{ type: 'hour-of-day' }] } } }, { now: () => now })
  await get(app, url)
  t.ok(isHit(await get(app, url)))
  now += 1_000
  t.notOk(isHit(await get(app, url)))
  t.strictSame(contexts(), [{ hour: '12' }, { hour: '13' }])
})

t.test('without rules headers do not matter', async t => {
  const app = await start(t, {})
  const first = await get(app, url, { 'cloudfront-viewer-country': 'CH' })
  t.notOk('vary' in first.headers)
  t.ok(isHit(await get(app, url, { 'cloudfront-viewer-country': 'FR', 'cloudfront-viewer-time-zone': 'Asia/Tokyo' })))
  t.strictSame(contexts(), [undefined])
})

t.test('a fallback is asked in its own context, and what it says is for nobody else', async t => {
  const spare = await startHttpRecommender(t)
  spare.answer(({ body }) => ({ body: { itemList: [JSON.stringify((body as Asked).context ?? null)] } }))
  server.misbehave('503')
  const variations = { main: { ...main, autoContext: country }, spare: { ...main, url: spare.url, autoContext: { plan: { type: 'string', rules: [rule('X-Plan')] } }, fallback: [] } }
  const app = await start(t, { variations, fallback: ['spare'] })
  const asked = async (headers: Record<string, string>): Promise<unknown> => {
    const answer = await get(app, url, headers)
    t.match(answer.headers, { 'x-personalization-variation': 'spare', 'x-personalization-degraded': 'unavailable', vary: 'cloudfront-viewer-country, x-plan' })
    return itemOf(answer.body)
  }
  t.equal(await asked({ 'cloudfront-viewer-country': 'CH', 'x-plan': 'gold' }), '{"plan":"gold"}')
  t.equal(await asked({ 'cloudfront-viewer-country': 'CH', 'x-plan': 'basic' }), '{"plan":"basic"}')
  t.equal(await asked({ 'cloudfront-viewer-country': 'CH' }), 'null')
  t.equal(spare.received.length, 3)
  t.ok(isHit(await get(app, url, { 'cloudfront-viewer-country': 'CH', 'x-plan': 'gold' })))
  t.strictSame(contexts()[0], { country: 'CH' })
})

t.test('a request has one time, however long its answer takes', async t => {
  let now = Date.parse('2026-01-14T12:59:59Z')
  const spare = await startHttpRecommender(t)
  server.answer(() => {
    now += 1_000
    return { status: 503, body: {} }
  })
  const app = await start(t, { variations: { main, spare: { ...main, url: spare.url } }, fallback: ['spare'], autoContext: { hour: { type: 'integer', rules: [{ type: 'hour-of-day' }] } } }, { now: () => now })
  await get(app, url)
  t.strictSame(spare.received.map(({ body }) => (body as Asked).context), [{ hour: '12' }], 'the answer is kept as one for twelve')
})

t.test('Personalize gets filter, values and context', async t => {
  const { aws } = await startAws(t)
  const filters = [
    { arn: arn('filter/mine'), condition: 'user-required', autoDynamicFilterValues: { COUNTRY: { type: 'string', evaluateAll: true, rules: [rule('CloudFront-Viewer-Country'), rule('X-Country')] }, HOUR: { type: 'integer', rules: [{ type: 'hour-of-day' }] } } },
    { arn: arn('filter/other'), autoDynamicFilterValues: { PLAN: { type: 'string', rules: [rule('X-Plan')] } } }
  ]
  const app = await start(t, { variations: { main: { type: 'personalize-campaign', arn: arn('campaign/c') } }, filters, autoContext: country })
  const sent = async (query: string, headers: Record<string, string>): Promise<unknown> => {
    await get(app, `${url}${query}`, headers)
    return aws.requests.of(service).at(-1)!.body
  }
  const headers = { 'cloudfront-viewer-country': 'CH', 'x-country': 'LI', 'x-plan': 'gold' }
  t.match(await sent('', headers), { filterArn: arn('filter/mine'), filterValues: { COUNTRY: '"CH","LI"', HOUR: '12' }, context: { country: 'CH' } })
  t.match(await sent('', { ...headers, 'x-country': 'x","y' }), { filterValues: { COUNTRY: '"CH"', HOUR: '12' } })
  for (const filter of ['other', arn('filter/other')]) {
    const body = await sent(`?filter=${filter}`, headers)
    t.match(body, { filterArn: arn('filter/other'), filterValues: { PLAN: '"gold"' } }, filter)
    t.notMatch(body, { filterValues: { COUNTRY: String } })
  }
  const filterValues = encodeURIComponent('{"COUNTRY":"\\"AT\\""}')
  t.match(await sent(`?filterValues=${filterValues}`, headers), { filterArn: arn('filter/mine'), filterValues: { COUNTRY: '"AT"', HOUR: '12' } })
  t.match(await sent(`?filter=mine&numResults=3&filterValues=${filterValues}`, headers), { filterValues: { COUNTRY: '"AT"', HOUR: '12' } })
})

/** The properties that an event target gets. */
async function startEvents (t: Test, autoContext: object): Promise<(event: Partial<NonNullable<EventsBody['eventList']>[number]>, headers: Record<string, string>) => Promise<string | undefined>> {
  const { app } = await startGateway(t, { autoContext, namespaces: { shop: { recommenders: {}, eventTargets: [{ type: 'embedded' }] } } }, { now: () => noon })
  const recording = recordingTarget()
  addTarget(app, 'shop', 'recording', recording)
  return async (event, headers) => {
    const { statusCode, body } = await app.inject({ method: 'POST', url: '/events/shop', headers, payload: { userId: 'u', eventList: [{ eventType: 'view', itemId: 'i', ...event }] } })
    t.equal(statusCode, 200, body)
    return recording.events.at(-1)!.properties
  }
}

t.test('events get what the rules of their namespace derive, beside what they say themselves', async t => {
  const send = await startEvents(t, { ...country, tags: { type: 'string', evaluateAll: true, rules: [rule('X-A'), rule('X-B')] }, hour: { type: 'integer', rules: [{ type: 'hour-of-day' }] } })
  const swiss = { 'cloudfront-viewer-country': 'CH' }
  t.equal(await send({}, swiss), '{"country":"CH","hour":12}')
  t.equal(await send({}, { ...swiss, 'x-a': 'one', 'x-b': 'two', 'cloudfront-viewer-time-zone': 'Asia/Kathmandu' }), '{"country":"CH","tags":"one|two","hour":17}')
  t.equal(await send({ properties: { country: 'AT', page: 'home' } }, swiss), '{"hour":12,"country":"AT","page":"home"}')
  const written = '{"country":null,"hour":0.10, "id":12345678901234567890123}'
  t.equal(await send({ properties: written }, swiss), written)
  t.equal(await send({ properties: written.replace('hour', 'price') }, swiss), `{"hour":12,${written.replace('hour', 'price').slice(1)}`)
})

t.test('what is derived never makes properties longer than Personalize takes', async t => {
  const send = await startEvents(t, { ...country, more: { type: 'string', rules: [rule('X-More')] } })
  const headers = { 'cloudfront-viewer-country': 'CH', 'x-more': 'x'.repeat(900) }
  t.equal((await send({}, headers))?.length, 926)
  const own = JSON.stringify({ page: 'y'.repeat(200) })
  t.equal(await send({ properties: own }, headers), `{"country":"CH",${own.slice(1)}`)
  const full = JSON.stringify({ page: 'y'.repeat(1013) })
  t.equal(full.length, 1024)
  t.equal(await send({ properties: full }, headers), full)
})

t.test('without rules events are as they were sent', async t => {
  const send = await startEvents(t, {})
  t.equal(await send({}, { 'cloudfront-viewer-country': 'CH' }), undefined)
  t.equal(await send({ properties: { a: 1 } }, {}), '{"a":1}')
})
