import t from 'tap'
import { isHit, startCachedShop } from '../support/cached-shop.ts'
import { startHttpRecommender } from '../support/http-recommender.ts'

const wrong = [
  '-Infinity', 'Infinity', '%2BInfinity', '1e999', '-1e999', 'NaN', '0x10', '0X1f', '0b11', '0o7', '1e1', '1E1', '25.0', '25.', '.5', '+5', '%2B5', '-5', '-0', '5%0a', '5%0d%0a', '%0a5', '5%E2%80%A8',
  '5%E2%80%A9', '%EF%BB%BF5', '5%00', '5%20', '%205', '5%C2%A0', '5+', '1_000', '1,0', '5n', '%D9%A5', '%EF%BC%95', '%E0%A5%AB', '%C2%B2', 'true', 'null', '[5]', '"5"', '{}', '0', '000', '501',
  '9007199254740993', '9'.repeat(400), '1'.padEnd(400, '0')
]

t.test('an integer in the URL is decimal digits within its bounds; no other number reaches a provider or a cache key', async t => {
  const server = await startHttpRecommender(t)
  const { app } = await startCachedShop(t, server)
  const urls = ['/recommend-items/shop/r/u', '/related-items/shop/r/i']
  for (const url of urls) {
    for (const number of wrong) {
      const { statusCode, body } = await app.inject(`${url}?numResults=${number}`)
      t.equal(statusCode, 400, `${number}: ${body}`)
      t.match(JSON.parse(body), { code: 'InvalidParameter', message: 'numResults: expected an integer from 1 to 500' }, number)
    }
  }
  t.equal(server.received.length, 0)

  for (const [i, number] of ['5', '05', '%35', '0005', '5'.padStart(300, '0')].entries()) {
    const answer = await app.inject(`/recommend-items/shop/r/u?numResults=${number}`)
    t.equal(answer.statusCode, 200, answer.body)
    t.equal(isHit(answer), i > 0, number)
  }
  t.match(server.received.map(({ body }) => body), [{ numResults: 5 }])
})

t.test('an integer that is not finite is refused in bodies, too', async t => {
  const server = await startHttpRecommender(t)
  const { app } = await startCachedShop(t, server)
  const post = async (url: string, payload: string) => app.inject({ method: 'POST', url, payload, headers: { 'content-type': 'application/json' } })
  const event = (member: string): string => `{"userId":"u","eventList":[{"eventType":"view","itemId":"i",${member}}]}`
  for (const number of ['1e999', '-1e999']) {
    const answers = [await post('/events/shop', event(`"eventValue":${number}`)), await post('/events/shop', event(`"sentAt":${number}`)), await post('/rerank-items/shop/r/u', `["a",${number}]`)]
    for (const { statusCode, body } of answers) t.equal(statusCode, 400, body)
  }
  t.equal(server.received.length, 0)
})
