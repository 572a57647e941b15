import t, { type Test } from 'tap'
import { pino } from 'pino'
import { buildApp } from '../../src/app.ts'
import type { Action } from '../../src/origins/origin.ts'
import { startHttpRecommender } from '../support/http-recommender.ts'
import { memorySource } from '../support/memory-source.ts'
import { ask, shopDocument, startShop, withoutId } from '../support/shop.ts'

const variation = (url: string, mappings: object): object => ({ resilience: { retries: 0 }, variations: { v: { type: 'http', url, method: 'POST', ...mappings } } })

t.test("a request mapping that fails on a caller's value is the caller's 400, with the mapping's reason", async t => {
  const server = await startHttpRecommender(t)
  server.answer(({ body }) => ({ body: { ratings: (body as { instances?: number[] }).instances?.map(() => 1) } }))
  const app = await startShop(t, {
    'predicted-ratings': {
      numbers: variation(server.url, { request: '{"user": $number(userId), "instances": [itemIds.$number()]}' }),
      words: variation(server.url, { request: '{"instances": [itemIds.$number($substringAfter($, "-"))]}' })
    },
    'related-items': { ofUser: variation(server.url, { request: 'userId & itemId = itemId ? undefined : {"user": userId}' }) },
    'rerank-items': { short: variation(server.url, { request: '{"text": $pad("", $count(itemIds) * 100000)}', response: '{"personalizedRanking": [$request.itemIds.{"itemId": $}]}' }) }
  })
  t.match(await ask(app, '/predicted-ratings/shop/numbers/user-1?items=1,2'), {
    status: 400,
    body: { type: 'Validation', code: 'InvalidParameter', message: /^userId, items, context: the request mapping of predicted-ratings\/numbers does not take these values: .*"user-1" \(at character \d+\)$/ }
  })
  t.match(await ask(app, '/predicted-ratings/shop/numbers/1?items=1,two'), { status: 400, body: { type: 'Validation', message: /"two"/ } })
  t.match(await ask(app, '/predicted-ratings/shop/numbers/1?items=1e999'), { status: 400, body: { type: 'Validation' } })
  t.match(await ask(app, '/predicted-ratings/shop/words/u?items=item-1,item-x'), { status: 400, body: { type: 'Validation', message: /"x"/ } })
  t.match(await ask(app, '/related-items/shop/ofUser/item-1'), { status: 400, body: { type: 'Validation', message: /^itemId, userId, context: .* makes nothing of this request$/ } }, 'which the mapping makes nothing of')
  const items = Array.from({ length: 30 }, (_, n) => `item-${n}`)
  t.match(await ask(app, '/rerank-items/shop/short/u', items), { status: 400, body: { type: 'Validation', message: /more than 2,000,000 characters/ } }, 'which makes too much')
  t.equal(server.received.length, 0, 'no provider was called')
  t.match(await ask(app, '/predicted-ratings/shop/numbers/1?items=1,2'), { status: 200, body: { ratings: [1, 1] } })
  t.match(await ask(app, '/rerank-items/shop/short/u', ['a']), { status: 200 })
})

t.test('a request mapping that fails for all requests is the mistake of the configuration, and a fallback answers', async t => {
  const server = await startHttpRecommender(t)
  const broken = variation(server.url, { request: '$number("x")' }) as { variations: object }
  const app = await startShop(t, { 'recommend-items': { broken, backed: { ...broken, fallback: ['house'], variations: { ...broken.variations, house: { type: 'embedded' } } } } }, { eventTargets: [{ type: 'embedded' }] })
  t.match(await ask(app, '/recommend-items/shop/broken/u'), { status: 502, body: { type: 'Configuration', code: 'MappingFailed', message: 'the request mapping of recommend-items/broken fails for all requests; the log has the reason' } })
  t.match(await ask(app, '/recommend-items/shop/backed/u'), { status: 200 })
  t.equal(server.received.length, 0)
})

interface Line { level: number, msg: string, code?: string, causes?: string[] }

/** Starts a gateway, and collects what it logs. */
async function startLogging (t: Test, recommenders: Partial<Record<Action, Record<string, object>>>): Promise<{ app: Awaited<ReturnType<typeof startShop>>, lines: Line[] }> {
  const lines: Line[] = []
  const logger = pino({ level: 'info' }, { write (line: string) { lines.push(JSON.parse(line) as Line) } })
  const app = await buildApp({ source: memorySource(shopDocument(recommenders)), dataDir: t.testdir(), logger })
  t.teardown(async () => app.close())
  await app.config.loaded
  return { app, lines }
}

t.test("a mapping that fails at run time is logged with JSONata's own reason and position, and blames no endpoint that was never called", async t => {
  const server = await startHttpRecommender(t)
  server.answer(() => ({ body: { itemList: 'x' } }))
  const { app, lines } = await startLogging(t, {
    'recommend-items': { request: variation(server.url, { request: '{"n": $number("x")}' }), response: variation(server.url, { response: '{"itemList": $sum(itemList)}' }) }
  })
  await ask(app, '/recommend-items/shop/request/u')
  await ask(app, '/recommend-items/shop/response/u')
  const [request, response] = lines.filter(({ causes }) => causes !== undefined)
  t.match(request, { code: 'MappingFailed', msg: /^the request mapping of recommend-items\/request fails/ })
  t.equal(request?.causes?.at(-1), 'Error: Unable to cast value to a number: "x" (at character 14)')
  t.notMatch(JSON.stringify(request), /HTTP recommender|endpoint/)
  t.match(response, { code: 'HttpInvalidAnswer', causes: [/.*/, /^Error: the response mapping fails: .*sum.* \(at character 18\)$/] })
  t.notMatch(JSON.stringify(lines), /\[object Object\]/)
})

t.test('a list of one that JSONata makes a single value of is a list all the same', async t => {
  const server = await startHttpRecommender(t)
  const app = await startShop(t, {
    'recommend-items': { r: variation(server.url, { response: '{"itemList": found.{"itemId": id}}' }) },
    'related-items': { r: variation(server.url, { response: '{"itemList": found.id}' }) },
    'rerank-items': { r: variation(server.url, { response: '{"personalizedRanking": found.{"itemId": id, "score": score}}' }) },
    'predicted-ratings': { r: variation(server.url, { response: '{"ratings": found.score}' }) }
  })
  const paths: ReadonlyArray<readonly [path: (n: number) => string, list: (n: number) => object]> = [
    [() => '/recommend-items/shop/r/u', n => ({ itemList: ['a', 'b', 'c'].slice(0, n).map(itemId => ({ itemId })) })],
    [() => '/related-items/shop/r/x', n => ({ itemList: ['a', 'b', 'c'].slice(0, n).map(itemId => ({ itemId })) })],
    [n => `/rerank-items/shop/r/u/${['a', 'b', 'c'].slice(0, n).join(',')}`, n => ({ personalizedRanking: ['a', 'b', 'c'].slice(0, n).map((itemId, score) => ({ itemId, score })) })],
    [n => `/predicted-ratings/shop/r/u?items=${['a', 'b', 'c'].slice(0, n).join(',')}`, n => ({ ratings: [0, 1, 2].slice(0, n) })]
  ]
  for (const count of [3, 1]) {
    server.answer(() => ({ body: { found: ['a', 'b', 'c'].slice(0, count).map((id, score) => ({ id, score })) } }))
    for (const [path, list] of paths) {
      const { status, body } = await ask(app, path(count))
      t.strictSame([status, withoutId(body)], [200, list(count)], path(count))
    }
  }
  server.answer(() => ({ body: { found: [{ score: 1 }] } }))
  t.match(await ask(app, '/predicted-ratings/shop/r/u?items=a,b'), { status: 502, body: { code: 'HttpInvalidAnswer' } }, 'one rating for two items')
  server.answer(() => ({ body: {} }))
  t.match(await ask(app, '/recommend-items/shop/r/u'), { status: 502, body: { code: 'HttpInvalidAnswer' } }, 'no list at all')
})
