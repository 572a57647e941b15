import t from 'tap'
import { parseConfig } from '../../src/config/parse.ts'
import { compileMapping } from '../../src/origins/mapping.ts'
import { startHttpRecommender } from '../support/http-recommender.ts'
import { openOrigin, requests } from '../support/open-origin.ts'
import { ask, shopDocument, startShop } from '../support/shop.ts'

const request = requests['recommend-items']

t.test('a mapping sees the request and nothing of the gateway', async t => {
  const all = await compileMapping('$')({ a: 1 }, request)
  t.strictSame(all, { a: 1 })
  t.strictSame(await compileMapping('$request')(undefined, { ...request, context: { device: 'tv' }, filter: 'f' }), {
    action: 'recommend-items', namespace: 'shop', recommender: 'home', userId: 'user-1', numResults: 4, context: { device: 'tv' }
  })
  for (const expression of ['process', '$process', 'constructor', '$constructor', '__proto__', '$toString', 'globalThis', '$env', '$require']) {
    t.equal(await compileMapping(expression)({}, request), undefined, expression)
  }
})

t.test('one evaluation leaves nothing behind for the next', async t => {
  const mapping = compileMapping('($before := $count; $count := n; {"n": n, "before": $before})')
  const answers = await Promise.all([1, 2, 3].map(async n => mapping({ n }, request)))
  t.match(answers, [{ n: 1 }, { n: 2 }, { n: 3 }])
})

t.test('what goes in is not changed', async t => {
  const input = Object.freeze({ items: Object.freeze([Object.freeze({ id: 'a' })]) })
  t.strictSame(await compileMapping('$ ~> |items|{"id": "b"}|')(input, request), { items: [{ id: 'b' }] })
  t.strictSame(input, { items: [{ id: 'a' }] })
})

/** Expressions that would never come to an end, or take more than is to be had. */
const endless: Record<string, string> = {
  'a call of itself': '($f := function($x) { 1 + $f($x) }; $f(1))',
  'a tail call of itself': '($f := function($x) { $f($x) }; $f(1))',
  'two calls of each other': '($f := function($x) { $g($x) }; $g := function($x) { $f($x) }; $f(1))',
  'a list of a billion': '[1..1000000000]',
  'a list of ten thousand and one': '[0..10000]',
  'lists of lists': '[1..9999].($x := $; [1..9999].($x * $))',
  'a doubling text': '($f := function($s, $n) { $n = 0 ? $length($s) : $f($s & $s, $n - 1) }; $f("x", 1000))',
  'a fold without end': '$reduce([1..9999], function($a, $b) { $sum([1..9999]) })'
}

t.test('whatever has no end is ended', async t => {
  for (const [name, expression] of Object.entries(endless)) {
    const started = performance.now()
    await t.rejects(compileMapping(expression)({}, request), name)
    const took = performance.now() - started
    t.ok(took < 1500, `${name}: after ${Math.round(took)} ms`)
  }
})

t.test('regular expressions and $eval are not to be had', async t => {
  const refused = [
    '$match("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", /^(a+)+$/)', '$replace("a", /a/, "b")', '$split("a b", / /)', '$contains("a", /a/)', '/a/("a")', '"a" ~> /a/',
    '$eval("1 + 1")', '$eval("[1..1000000000]")', '($e := $eval; $e("1"))', '"1" ~> $eval'
  ]
  for (const expression of refused) {
    const evaluate = async (): Promise<unknown> => compileMapping(expression)({ text: '1' }, request)
    await t.rejects(evaluate(), expression)
  }
})

t.test('a mapping that fails is told as what it is', async t => {
  const server = await startHttpRecommender(t)
  const http = { type: 'http', url: server.url, method: 'POST' }
  const signal = new AbortController().signal
  const broken = await openOrigin(t, { ...http, request: '$number("x")' })
  await t.rejects(broken.recommend(request, signal), { name: 'OriginError', failure: 'refused' }, 'of what is sent: the configuration is wrong')
  const nothing = await openOrigin(t, { ...http, request: 'nothing.here' })
  await t.rejects(nothing.recommend(request, signal), { name: 'OriginError', failure: 'refused' }, 'of what is sent: there is nothing to send')
  t.equal(server.received.length, 0)
  for (const response of ['$number("x")', 'nothing', '"text"', '[1, 2]', 'function($x) { $x }', '{"itemList": function($x) { $x }}', '{"itemList": [true]}', endless['a tail call of itself']!]) {
    const origin = await openOrigin(t, { ...http, response })
    await t.rejects(origin.recommend(request, signal), { name: 'OriginError', failure: 'invalid-answer' }, response)
  }
})

t.test('a gateway goes on while a mapping runs into its bounds', async t => {
  const server = await startHttpRecommender(t)
  const variation = (response: string): object => ({ variations: { v: { type: 'http', url: server.url, response } }, resilience: { retries: 0, timeout: 1000, breaker: { failures: 1000 } } })
  const app = await startShop(t, { 'recommend-items': { endless: variation(endless['a tail call of itself']!), fine: variation('$') } })
  for (let i = 0; i < 3; i++) t.match(await ask(app, '/recommend-items/shop/endless/u'), { status: 502, body: { code: 'HttpInvalidAnswer' } })
  t.match(await ask(app, '/recommend-items/shop/fine/u'), { status: 200 })
})

function findingsOf (variation: object): Array<{ pointer: string, message: string }> {
  try {
    parseConfig(JSON.stringify(shopDocument({ 'predicted-ratings': { 'my-model': { variations: { v: variation } } } })), 'test')
    return []
  } catch (error) {
    return (error as { findings: Array<{ pointer: string, message: string }> }).findings
  }
}

t.test('a mistake in a mapping is a mistake in the configuration, with its place', async t => {
  const at = '/namespaces/shop/recommenders/predicted-ratings/my-model/variations/v'
  for (const variation of [{ type: 'sagemaker', endpointName: 'e' }, { type: 'http', url: 'http://recommender.example/' }]) {
    t.match(findingsOf({ ...variation, request: '{"a": ', response: '{"ratings" [1]}' }), [
      { pointer: `${at}/request`, message: /\(at character 6\)$/ },
      { pointer: `${at}/response`, message: /\(at character 15\)$/ }
    ])
    t.match(findingsOf({ ...variation, request: '"abc' }), [{ pointer: `${at}/request`, message: /\(at character \d+\)$/ }])
    t.match(findingsOf({ ...variation, response: '' }), [{ pointer: `${at}/response`, message: /1 to 20000 characters/ }])
    t.match(findingsOf({ ...variation, response: 7 }), [{ pointer: `${at}/response`, message: /string/ }])
    t.strictSame(findingsOf({ ...variation, request: '{"a": userId}', response: '$' }), [])
  }
})

t.test('a regular expression in a mapping is found before it is needed', async t => {
  const [finding] = findingsOf({ type: 'sagemaker', endpointName: 'e', response: '{"ratings": $match(x, /a+/).match}' })
  t.match(finding, { pointer: /\/response$/, message: /regular expression/ })
})
