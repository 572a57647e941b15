import t, { type Test } from 'tap'
import { startGateway } from '../support/gateway.ts'

const user = '/recommend-items/store/for-you/me'
const event = { eventType: 'view', itemId: 'tea' }

/** What is wrong, the status, and what the message must name. */
const gets: Array<[string, number, RegExp]> = [
  [`${user}?numResults=0`, 400, /^numResults: expected an integer from 1 to 500$/],
  [`${user}?numResults=501`, 400, /^numResults: expected an integer from 1 to 500$/],
  [`${user}?numResults=abc`, 400, /^numResults: expected an integer from 1 to 500$/],
  [`${user}?numResults=1.5`, 400, /^numResults/],
  ...['0x10', '1e1', '25.0', '%2B5', '+5', '5%0a', '5%E2%80%A8', '%205', '5%20', '-5', '-Infinity', 'Infinity', '1e999', 'NaN', '0b11', '1_0', '%D9%A5', '%EF%BC%95', '9'.repeat(400), 'true', '[5]']
    .map((text): [string, number, RegExp] => [`${user}?numResults=${text}`, 400, /^numResults: expected an integer from 1 to 500$/]),
  [`${user}?numResults=1&numResults=2`, 400, /^numResults/],
  [`${user}?context=nonsense`, 400, /^context: expected a JSON object/],
  [`${user}?context=[1]`, 400, /^context/],
  [`${user}?context={"a":1}`, 400, /^context.*"a"/],
  [`${user}?filterValues={`, 400, /^filterValues/],
  [`${user}?filterValues=null`, 400, /^filterValues/],
  [`${user}?feature=no%20name`, 400, /^feature/],
  ['/recommend-items/store/for-you/', 400, /^userId/],
  [`/recommend-items/store/for-you/${'u'.repeat(257)}`, 400, /^userId: expected a string of 1 to 256 characters$/],
  [`/related-items/store/similar/${'i'.repeat(257)}`, 400, /^itemId/],
  [`${user}?userId=%ff`, 400, /"userId=%ff"/],
  [`${user}?filter=100%`, 400, /"%"/],
  [`${user}?%zz=1`, 400, /"%"/],
  ['/related-items/store/similar/tea?userId=%ED%A0%80', 400, /"%"/],
  ['/health/live?a=%C0%AF', 400, /"%"/],
  ['/related-items/store/similar/tea?userId=a&userId=b', 400, /^userId: expected one value, got 2$/],
  ['/rerank-items/store/ranking/me/a,,b', 400, /^itemIds: item id 2 is empty/],
  [`/rerank-items/store/ranking/me/a,${'b'.repeat(257)}`, 400, /^itemIds: item id 2 is too long/],
  [`/rerank-items/store/ranking/me/${'a,'.repeat(500)}a`, 400, /^itemIds: expected at most 500/],
  ['/recommend-items/nowhere/for-you/me', 404, /^namespace: "nowhere"/],
  ['/recommend-items/store/nothing/me', 404, /^recommender: "nothing"/],
  ['/recommend-items/store/similar/me', 404, /^recommender: "similar" is not configured for recommend-items/],
  ['/recommend-items/__proto__/constructor/me', 404, /^namespace/],
  ['/recommend-items/store/for-you/%zz', 400, /URL/],
  ['/nothing/here', 404, /GET \/nothing\/here/],
  [`${user}?x=${'y'.repeat(8200)}`, 414, /URL/],
  [`/recommend-items/store/for-you/${'u'.repeat(8193)}`, 414, /^the URL is too long/]
]

const posts: Array<[string, unknown, number, RegExp]> = [
  ['/rerank-items/store/ranking/me', { itemIds: ['a'] }, 400, /^body: expected a list of 1 to 500 items$/],
  ['/rerank-items/store/ranking/me', '"a"', 400, /^body: expected a list/],
  ['/rerank-items/store/ranking/me', [], 400, /^body: expected a list of 1 to 500 items$/],
  ['/rerank-items/store/ranking/me', ['a', ''], 400, /^body\/1: expected a string of 1 to 256/],
  ['/rerank-items/store/ranking/me', ['a', 1.5], 400, /^body\/1: expected a string/],
  ['/rerank-items/store/ranking/me', '{', 400, /^body: is not JSON/],
  ['/rerank-items/store/ranking/me', '', 400, /^body: expected JSON, got nothing$/],
  ['/events/store', { userId: 'me', eventList: [] }, 400, /^body\/eventList: expected a list of 1 to 500 items$/],
  ['/events/store', { userId: 'me' }, 400, /^body: expected eventList/],
  ['/events/store', { eventList: [event] }, 400, /^body\/userId: is missing/],
  ['/events/store', { userId: 7.5, eventList: [event] }, 400, /^body\/userId: expected a string/],
  ['/events/store', { userId: 'me', eventList: [{ itemId: 'tea' }] }, 400, /^body\/eventList\/0\/eventType: is missing; expected a string/],
  ['/events/store', { userId: 'me', eventList: [{ ...event, metricAttribution: { eventAttributionSource: 'x', itemID: 'x' } }] }, 400, /^body\/eventList\/0\/metricAttribution\/itemID: is not a known key here$/],
  ['/events/store', { userId: 'me', eventList: [{ ...event, metricAttribution: { eventAttributionSource: 'x', 'a/b~': 1 } }] }, 400, /^body\/eventList\/0\/metricAttribution\/a~1b~0: is not a known key here$/],
  ['/events/store', { userId: 'me', eventList: [{ ...event, metricAttribution: { eventAttributionSource: 'x', ['x'.repeat(5_000)]: 1 } }] }, 400, /^body\/eventList\/0\/metricAttribution\/x{100}…: is not a known key here$/],
  ['/events/store', { userId: 'me', further: 1 }, 400, /^body: expected eventList/],
  ['/events/store', { userId: 'me', eventList: [{ ...event, sentAt: 'yesterday' }] }, 400, /^body\/eventList\/0\/sentAt: expected epoch seconds/],
  ['/events/store', { userId: 'me', eventList: [{ ...event, properties: '{' }] }, 400, /^body\/eventList\/0\/properties: expected a JSON object/],
  ['/events/store', { userId: 'me', eventList: [{ ...event, properties: { a: 'x'.repeat(1100) } }] }, 400, /^body\/eventList\/0\/properties: expected at most 1024/],
  ['/events/store', { userId: 'me', eventList: Array(501).fill(event) }, 400, /^body\/eventList: expected a list of at most 500 items$/],
  ['/events/store', { userId: 'me', experimentConversions: [{ recommender: 'nothing', metric: 'm' }] }, 400, /^body\/experimentConversions\/0\/recommender: "nothing"/],
  ['/events/store', { userId: 'me', experimentConversions: [{ recommender: 'for-you', feature: 'f', metric: 'm' }] }, 400, /^body\/experimentConversions\/0\/feature: "f"/],
  ['/events/nowhere', { userId: 'me', eventList: [event] }, 404, /^namespace: "nowhere"/],
  ['/events/mute', { userId: 'me', eventList: [event] }, 409, /^namespace: "mute" has no event targets/],
  ['/events/store', JSON.stringify({ userId: 'x'.repeat(10 * 1024 * 1024) }), 413, /^body: expected at most 1 MiB$/]
]

t.test('a bad request is told what is wrong with it', async t => {
  const { app } = await startGateway(t)
  const check = (t: Test, { statusCode, headers, body }: { statusCode: number, headers: object, body: string }, status: number, message: RegExp): void => {
    t.equal(statusCode, status, body)
    t.match(headers, { 'content-type': /^application\/json/, 'cache-control': 'no-store' })
    const error = JSON.parse(body) as Record<string, string>
    t.match(error, { type: /^(Validation|Configuration)$/, code: String, message, requestId: String })
    t.notMatch(body, /node_modules|\.ts:|\.js:/, 'no stack trace')
  }
  for (const [url, status, message] of gets) {
    await t.test(`GET ${url.slice(0, 80)}`, async t => check(t, await app.inject(url), status, message))
  }
  for (const [url, payload, status, message] of posts) {
    const text = typeof payload === 'string' ? payload : JSON.stringify(payload)
    await t.test(`POST ${url} ${text.slice(0, 60)}`, async t =>
      check(t, await app.inject({ method: 'POST', url, payload: text, headers: { 'content-type': 'application/json' } }), status, message))
  }
  await t.test('a content type that is not JSON', async t =>
    check(t, await app.inject({ method: 'POST', url: '/events/store', payload: 'a=b', headers: { 'content-type': 'text/csv' } }), 415, /application\/json/))
})

t.test('an acceptable request id comes back, another is replaced', async t => {
  const { app } = await startGateway(t)
  const idFor = async (headers: Record<string, string>): Promise<unknown> => (await app.inject({ url: '/health/live', headers })).headers['x-request-id']
  t.equal(await idFor({ 'x-request-id': 'abc-1' }), 'abc-1')
  t.equal(await idFor({ 'x-amzn-trace-id': 'Root=1-67891233-abcdef012345678912345678' }), 'Root=1-67891233-abcdef012345678912345678')
  t.match(await idFor({ 'x-request-id': 'a b' }), /^[\da-f-]{36}$/)
  t.match(await idFor({ 'x-request-id': 'x'.repeat(129) }), /^[\da-f-]{36}$/)
})
