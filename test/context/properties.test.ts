import t from 'tap'
import { addProperties, deriveProperties } from '../../src/context/properties.ts'
import { loadRules } from '../support/derive.ts'
import { testSurroundings } from '../support/surroundings.ts'

const rules = (...headers: string[]): object[] => headers.map(header => ({ type: 'header-value', header }))

/** The properties of an event, as text. */
function properties (own: string | undefined, autoContext: object | undefined, headers: Record<string, string>, longest = 1024): string | undefined {
  return addProperties(own, deriveProperties(loadRules(autoContext).autoContext, testSurroundings(headers)), longest)
}

const autoContext = { device: { type: 'string', evaluateAll: true, rules: rules('x-a', 'x-b') }, size: { type: 'integer', evaluateAll: true, rules: rules('x-n', 'x-m') }, ratio: { type: 'float', rules: rules('x-f') } }

t.test('what is derived is added to what an event has', async t => {
  t.equal(properties(undefined, autoContext, { 'x-a': 'phone' }), '{"device":"phone"}')
  for (const own of ['{}', ' {} ', '{\n}']) t.strictSame(JSON.parse(properties(own, autoContext, { 'x-a': 'phone' })!), { device: 'phone' }, own)
  t.strictSame(JSON.parse(properties(' { "page" : {"device":"x"} }', autoContext, { 'x-a': 'phone' })!), { device: 'phone', page: { device: 'x' } })
  t.equal(properties(undefined, autoContext, {}), undefined)
  t.equal(properties('{"page":1}', autoContext, {}), '{"page":1}')
  t.equal(properties('{"page":1}', undefined, { 'x-a': 'phone' }), '{"page":1}')
})

t.test('several values are joined, and a number is a number', async t => {
  t.equal(properties(undefined, autoContext, { 'x-a': 'phone', 'x-b': 'a"b' }), '{"device":"phone|a\\"b"}')
  t.equal(properties(undefined, autoContext, { 'x-n': '0' }), '{"size":0}')
  t.equal(properties(undefined, autoContext, { 'x-n': '1', 'x-m': '-2' }), '{"size":"1|-2"}')
  t.equal(properties(undefined, autoContext, { 'x-f': '-1.50e3' }), '{"ratio":-1.50e3}')
  t.equal(properties(undefined, autoContext, { 'x-n': '9007199254740993' }), '{"size":9007199254740993}')
  t.equal(properties(undefined, autoContext, { 'x-n': '007' }), '{"size":7}', 'JSON has no leading zeros')
  t.equal(properties(undefined, autoContext, { 'x-n': '-000' }), '{"size":-0}')
  t.equal(properties(undefined, autoContext, { 'x-f': '00.50' }), '{"ratio":0.50}')
  t.equal(properties(undefined, autoContext, { 'x-a': '007' }), '{"device":"007"}')
  t.equal(properties(undefined, autoContext, { 'x-a': '5' }), '{"device":"5"}')
})

t.test('what an event says itself wins, and stays as it is written', async t => {
  const own = '{ "device":null, "big":12345678901234567890123, "precise":1.10, "twice":1, "twice":2 }'
  t.equal(properties(own, { device: autoContext.device }, { 'x-a': 'phone' }), own)
  t.equal(properties(own, autoContext, { 'x-a': 'phone', 'x-n': '7' }), `{"size":7,${own.slice(1)}`)
  t.equal(properties('{"\\u0064evice":"mine"}', autoContext, { 'x-a': 'phone' }), '{"\\u0064evice":"mine"}', 'however it writes the name')
})

t.test('a name is data', async t => {
  const hostile = JSON.parse('{"__proto__":{"type":"string","rules":[{"type":"header-value","header":"x-a"}]}}') as object
  t.equal(properties('{"a":1}', hostile, { 'x-a': 'x' }), '{"__proto__":"x","a":1}')
  t.equal(properties('{"__proto__":"mine"}', hostile, { 'x-a': 'x' }), '{"__proto__":"mine"}')
})

t.test('no more is added than there is room for', async t => {
  const added = (value: number, own?: string): string | undefined => properties(own, autoContext, { 'x-a': 'x'.repeat(value), 'x-n': '1' })
  for (let length = 980; length <= 1000; length++) {
    const whole = `{"device":"${'x'.repeat(length)}","size":1,"a":1}`
    t.equal(added(length, '{"a":1}'), whole.length <= 1024 ? whole : whole.replace('"size":1,', ''), `${whole.length}`)
  }
  const full = `{"a":"${'x'.repeat(1016)}"}`
  t.equal(full.length, 1024)
  t.equal(added(1, full), full)
})
