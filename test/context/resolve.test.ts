import { readFileSync } from 'node:fs'
import t from 'tap'
import { noRules, resolve, explain, type Resolution } from '../../src/context/resolve.ts'
import { loadRules } from '../support/derive.ts'
import { testSurroundings } from '../support/surroundings.ts'

const arn = (name: string): string => `arn:aws:personalize:us-east-1:123456789012:filter/${name}`
const header = (name: string): object => ({ type: 'header-value', header: name })
const text = (...rules: object[]): object => ({ type: 'string', evaluateAll: true, rules })
const number = (...rules: object[]): object => ({ type: 'float', evaluateAll: true, rules })

type Asked = Parameters<typeof resolve>[1]

/** What becomes of a request, and nothing of how it came about. */
function resolved ({ autoContext, filters }: { autoContext?: object, filters?: object[] }, request: Asked = {}, headers: Record<string, string> = {}): Resolution {
  const { filter, filterValues, context } = resolve(loadRules(autoContext, filters), request, testSurroundings(headers))
  return { filter, filterValues, context }
}

/** The values of a filter whose values are made by a rule or two. */
const filterValues = (autoDynamicFilterValues: object, headers?: Record<string, string>, request?: Asked): Resolution['filterValues'] =>
  resolved({ filters: [{ arn: arn('f'), autoDynamicFilterValues }] }, request, headers).filterValues

t.test('the first filter whose condition holds is used', async t => {
  const filters = [{ arn: arn('of-users'), condition: 'user-required' }, { arn: arn('of-all') }, { arn: arn('never') }]
  t.equal(resolved({ filters }, { userId: 'u' }).filter, arn('of-users'))
  t.equal(resolved({ filters }).filter, arn('of-all'))
  t.equal(resolved({ filters: filters.slice(0, 1) }).filter, undefined)
  t.equal(resolved({ filters: [] }, { userId: 'u' }).filter, undefined)
})

t.test('a filter that the request names takes its place, with the values that are configured for it', async t => {
  const valued = (name: string, more: object = {}): object => ({ arn: arn(name), autoDynamicFilterValues: { NAME: { type: 'string', default: name, rules: [] } }, ...more })
  const filters = [valued('one', { condition: 'user-required' }), valued('two'), valued('three')]
  for (const filter of ['three', arn('three')]) t.strictSame(resolved({ filters }, { userId: 'u', filter }), { filter, filterValues: { NAME: '"three"' }, context: undefined })
  t.strictSame(resolved({ filters }, { filter: 'one' }).filterValues, { NAME: '"one"' }, 'whatever its condition')
  t.strictSame(resolved({ filters }, { userId: 'u' }).filterValues, { NAME: '"one"' })
  const others = ['hre', 'ree', 'Three', 'filter/three', ':filter/three', '', arn('three').replace('123456789012', '210987654321'), arn('four')]
  for (const filter of others) t.strictSame(resolved({ filters }, { filter }), { filter, filterValues: undefined, context: undefined }, filter)
  t.strictSame(resolved({}, { filter: 'mine', filterValues: { A: '1' } }), { filter: 'mine', filterValues: { A: '1' }, context: undefined })
})

t.test('values without a filter mean nothing', async t => {
  t.equal(resolved({}, { filterValues: { A: '1' } }).filterValues, undefined)
  t.equal(resolved({ filters: [{ arn: arn('f'), condition: 'user-required' }] }, { filterValues: { A: '1' } }).filterValues, undefined)
  t.strictSame(resolved({ filters: [{ arn: arn('f') }] }, { filterValues: { A: '1' } }), { filter: arn('f'), filterValues: { A: '1' }, context: undefined })
})

t.test('texts are quoted, numbers plain, and several joined by commas', async t => {
  const fields = { BRAND: text(header('x-a'), header('x-b')), PRICE: number(header('x-low'), header('x-high')), ONE: { type: 'integer', rules: [{ type: 'hour-of-day' }] } }
  t.strictSame(filterValues(fields, { 'x-a': 'acme', 'x-b': 'é & co, ltd.', 'x-low': '0', 'x-high': '12.5' }), { BRAND: '"acme","é & co, ltd."', PRICE: '0,12.5', ONE: '12' })
  t.strictSame(filterValues(fields, { 'x-b': 'acme' }), { BRAND: '"acme"', ONE: '12' })
})

t.test('no header can put in a value of its own', async t => {
  const fields = { BRAND: text(header('x-a'), header('x-b')) }
  for (const hostile of ['a","b', '"', 'a"', '","', '""']) {
    t.strictSame(filterValues(fields, { 'x-a': hostile, 'x-b': 'acme' }), { BRAND: '"acme"' }, hostile)
    t.notOk(Object.keys(filterValues(fields, { 'x-a': hostile }) ?? {}).length, 'none is left')
  }
  t.strictSame(filterValues({ PRICE: number(header('x-a'), header('x-b')) }, { 'x-a': '1,2', 'x-b': '3' }), { PRICE: '3' })
})

t.test('what Personalize takes for too long is left out', async t => {
  const fields = { BRAND: text(header('x-a'), header('x-b')) }
  t.strictSame(filterValues(fields, { 'x-a': 'x'.repeat(998) }), { BRAND: `"${'x'.repeat(998)}"` })
  t.notMatch(filterValues(fields, { 'x-a': 'x'.repeat(999) }), { BRAND: String })
  t.notMatch(filterValues(fields, { 'x-a': 'x'.repeat(500), 'x-b': 'y'.repeat(496) }), { BRAND: String })
  t.strictSame(filterValues(fields, { 'x-a': 'x'.repeat(500), 'x-b': 'y'.repeat(495) })?.['BRAND']?.length, 1000)
  t.strictSame(filterValues(fields, { 'x-a': 'x'.repeat(1001), 'x-b': 'y' }), { BRAND: '"y"' })
  const { context } = resolved({ autoContext: { A: text(header('x-a')), B: text(header('x-b')) } }, {}, { 'x-a': 'x'.repeat(1000), 'x-b': 'x'.repeat(1001) })
  t.strictSame(context, { A: 'x'.repeat(1000) })
})

t.test('in the context a field has its first value', async t => {
  const autoContext = { A: text(header('x-a'), header('x-b')), N: number(header('x-n')), C: text(header('x-c')) }
  t.strictSame(resolved({ autoContext }, {}, { 'x-a': 'a"b', 'x-b': 'c', 'x-n': '0' }).context, { A: 'a"b', N: '0' })
  t.equal(resolved({ autoContext }).context, undefined)
})

t.test('what the request says itself wins, key by key', async t => {
  const rules = { autoContext: { A: text(header('x-a')), B: text(header('x-b')) }, filters: [{ arn: arn('f'), autoDynamicFilterValues: { A: text(header('x-a')), B: text(header('x-b')) } }] }
  const request = { context: { B: 'mine', C: 'more' }, filterValues: { B: '"mine"', C: '1' } }
  t.strictSame(resolved(rules, request, { 'x-a': 'a', 'x-b': 'b' }), { filter: arn('f'), context: { A: 'a', B: 'mine', C: 'more' }, filterValues: { A: '"a"', B: '"mine"', C: '1' } })
  t.strictSame(resolved(rules, request), { filter: arn('f'), ...request })
  t.strictSame(resolved(rules, { context: { A: '' } }, { 'x-a': 'a' }).context, { A: '' }, 'even where it says nothing')
})

t.test('a key may be called as it likes', async t => {
  const parsed = (json: string): Record<string, string> => JSON.parse(json) as Record<string, string>
  const autoContext = parsed('{"__proto__":{"type":"string","rules":[{"type":"header-value","header":"x-a"}]}}')
  const rules = { autoContext, filters: [{ arn: arn('f'), autoDynamicFilterValues: autoContext }] }
  const derived = resolved(rules, {}, { 'x-a': 'a' })
  t.equal(JSON.stringify([derived.context, derived.filterValues]), '[{"__proto__":"a"},{"__proto__":"\\"a\\""}]')
  const own = parsed('{"__proto__":"mine","constructor":"too"}')
  const explicit = resolved(rules, { context: own, filterValues: own }, { 'x-a': 'a' })
  t.equal(JSON.stringify([explicit.context, explicit.filterValues]), JSON.stringify([own, own]))
  t.equal(({} as { polluted?: unknown }).polluted, undefined)
})

t.test('without rules a request is what it says', async t => {
  const request = { userId: 'u', context: { A: 'a' } }
  t.strictSame(resolve(noRules, request, testSurroundings()).context, { A: 'a' })
  t.strictSame(noRules.headers, [])
})

t.test('how a resolution came about can be told', async t => {
  const rules = loadRules({ A: text(header('x-none'), header('x-a')), D: { type: 'integer', default: 0, rules: [] } }, [{ arn: arn('f'), autoDynamicFilterValues: { P: number(header('x-n')) } }])
  const explanation = explain(rules, { userId: 'u' }, testSurroundings({ 'x-a': 'a', 'x-n': '1.5' }))
  t.match(explanation, { filter: arn('f'), filterValues: { P: '1.5' }, context: { A: 'a', D: '0' } })
  t.strictSame(Object.fromEntries(explanation.autoContext), {
    A: { type: 'string', values: ['a'], rules: [{ type: 'header-value', position: 1 }] },
    D: { type: 'integer', values: ['0'], rules: [] }
  })
  t.strictSame(Object.fromEntries(explanation.autoFilterValues), { P: { type: 'float', values: ['1.5'], rules: [{ type: 'header-value', position: 0 }] } })
})

t.test('the example of the documentation does what it is said to', async t => {
  const [, example] = /```jsonc\n("autoContext"[^]*?)```/.exec(readFileSync('docs/configuration.md', 'utf8'))!
  const rules = JSON.parse(`{${example!}}`) as { autoContext: object, filters: object[] }
  const headers = { 'cloudfront-is-mobile-viewer': 'true', 'cloudfront-viewer-country': 'CH' }
  t.strictSame(resolved(rules, {}, headers), { filter: arn('of-country').replace('us-east-1', 'eu-west-1'), filterValues: { COUNTRY: '"CH"' }, context: { deviceType: 'phone', season: '3' } })
  t.match(resolved(rules, { userId: 'u' }, { ...headers, 'cloudfront-is-tablet-viewer': 'true' }), { filter: /not-bought-yet$/, context: { deviceType: 'tablet' } })
  t.match(resolved(rules).context, { deviceType: 'desktop' })
})
