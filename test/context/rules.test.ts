import t from 'tap'
import { surroundingsOf } from '../../src/context/surroundings.ts'
import { createClock } from '../../src/context/clock.ts'
import { derive, loadRules, valuesOf } from '../support/derive.ts'

const segment = { type: 'header-value', header: 'X-Segment' }
const hour = { type: 'hour-of-day' }
const midnight = { at: '2026-01-14T00:20:00Z' }
const mapping = (operator: string, value: string | number, mapTo: string | number): object => ({ operator, value, mapTo })

t.test('without mappings a value counts as it is', async t => {
  t.strictSame(valuesOf({ rules: [segment] }, { 'x-segment': 'gold' }), ['gold'])
  t.strictSame(valuesOf({ rules: [{ ...segment, valueMappings: [] }] }, { 'x-segment': 'gold' }), ['gold'])
  t.strictSame(valuesOf({ rules: [hour] }, {}, { at: '2026-01-14T13:00:00Z' }), ['13'])
  t.equal(valuesOf({ rules: [segment] }, { 'x-segment': '' }), undefined)
  t.equal(valuesOf({ rules: [segment] }), undefined)
  t.equal(valuesOf({ rules: [] }), undefined)
})

t.test('zero is a value', async t => {
  t.strictSame(valuesOf({ type: 'integer', rules: [hour] }, {}, midnight), ['0'])
  t.strictSame(valuesOf({ type: 'integer', rules: [{ ...hour, valueMappings: [mapping('equals', 0, 0)] }] }, {}, midnight), ['0'])
  t.strictSame(valuesOf({ type: 'integer', rules: [segment] }, { 'x-segment': '0' }), ['0'])
  t.strictSame(valuesOf({ type: 'integer', default: 0, rules: [] }), ['0'])
  t.strictSame(valuesOf({ type: 'float', rules: [{ ...segment, valueMappings: [mapping('less-than', 0, -0)] }] }, { 'x-segment': '-1' }), ['0'])
})

t.test('the first mapping that holds counts', async t => {
  const rules = [{ ...hour, valueMappings: [mapping('less-than', 6, 'night'), mapping('less-than', 12, 'morning'), mapping('greater-than', 11, 'late')] }]
  const at = (time: string): readonly string[] | undefined => valuesOf({ rules }, {}, { at: `2026-01-14T${time}Z` })
  t.strictSame([at('05:59:59'), at('06:00:00'), at('11:59:59'), at('12:00:00')], [['night'], ['morning'], ['morning'], ['late']])
})

t.test('the first rule that finds something counts, or all of them', async t => {
  const rules = [segment, { ...hour, valueMappings: [mapping('less-than', 12, 'early')] }, { type: 'header-value', header: 'x-plan' }]
  const [first, second, third] = [{ type: 'header-value', position: 0 }, { type: 'hour-of-day', position: 1 }, { type: 'header-value', position: 2 }]
  const headers = { 'x-segment': 'gold', 'x-plan': 'basic' }
  t.strictSame(derive({ f: { type: 'string', rules } }, headers, midnight)['f'], { type: 'string', values: ['gold'], rules: [first] })
  t.strictSame(derive({ f: { type: 'string', rules } }, { 'x-plan': 'basic' })['f'], { type: 'string', values: ['basic'], rules: [third] })
  const all = { f: { type: 'string', evaluateAll: true, rules } }
  t.strictSame(derive(all, headers, midnight)['f'], { type: 'string', values: ['gold', 'early', 'basic'], rules: [first, second, third] })
  t.strictSame(derive(all, headers)['f'], { type: 'string', values: ['gold', 'basic'], rules: [first, third] })
  t.strictSame(derive(all, { 'x-segment': 'early' }, midnight)['f'], { type: 'string', values: ['early'], rules: [first, second] }, 'what two rules find counts once')
  t.strictSame(derive(all)['f'], undefined)
})

t.test('the default counts where no rule finds anything', async t => {
  const field = { type: 'string', default: 'none', rules: [{ ...segment, valueMappings: [mapping('equals', 'gold', 'vip')] }] }
  t.strictSame(derive({ field })['field'], { type: 'string', values: ['none'], rules: [] })
  t.strictSame(valuesOf(field, { 'x-segment': 'silver' }), ['none'])
  t.strictSame(valuesOf(field, { 'x-segment': 'gold' }), ['vip'])
  t.strictSame(valuesOf({ ...field, evaluateAll: true }, { 'x-segment': 'silver' }), ['none'])
  t.throws(() => valuesOf({ default: '', rules: [] }), /expected a value of type string/)
  t.throws(() => valuesOf({ type: 'integer', default: 'many', rules: [] }), /expected a value of type integer/)
})

t.test('a value that is none of its type is none, and the next rule is asked', async t => {
  const table: Array<[type: string, text: string, expected: string | undefined]> = [
    ['string', 'é "quoted"', 'é "quoted"'], ['string', 'x'.repeat(1000), 'x'.repeat(1000)], ['string', 'x'.repeat(1001), undefined],
    ...['integer', 'long'].flatMap((type): typeof table => [
      [type, '42', '42'], [type, '-7', '-7'], [type, '+7', '7'], [type, ' 7 ', '7'], [type, '007', '007'], [type, '9223372036854775807', '9223372036854775807'],
      ...['4.2', '1e3', 'x', '0x1', '', '1,000', '٣', '12345678901234567890', 'NaN'].map((text): typeof table[number] => [type, text, undefined])
    ]),
    ['float', '4.2', '4.2'], ['float', '-0.5', '-0.5'], ['float', '3', '3'], ['float', '1e3', '1e3'], ['float', '+1.5E-7', '1.5E-7'],
    ...['.5', '5.', 'Infinity', 'NaN', '0x1', '1e309', '-1e999', '1e1000', '1,5', ''].map((text): typeof table[number] => ['float', text, undefined])
  ]
  for (const [type, text, expected] of table) {
    t.strictSame(valuesOf({ type, rules: [segment] }, { 'x-segment': text })?.[0], expected, `${type} ${text.slice(0, 30)}`)
  }
  t.strictSame(valuesOf({ type: 'integer', rules: [segment, hour] }, { 'x-segment': 'x' }, midnight), ['0'])
})

t.test('what is mapped to has the type, too', async t => {
  const mapped = (type: string, mapTo: string | number): readonly string[] | undefined => valuesOf({ type, rules: [{ ...hour, valueMappings: [mapping('equals', 0, mapTo)] }] }, {}, midnight)
  t.strictSame(mapped('string', 5), ['5'])
  t.strictSame(mapped('integer', '5'), ['5'])
  t.strictSame(mapped('float', 1e21), ['1e+21'])
  for (const [type, mapTo] of [['integer', 1.5], ['long', 'five'], ['float', 'x'], ['string', '']] as const) t.throws(() => mapped(type, mapTo), new RegExp(`expected a value of type ${type}`), `${type} ${mapTo}`)
})

t.test('headers are found however their names are written', async t => {
  for (const header of ['cloudfront-viewer-country', 'CloudFront-Viewer-Country', 'CLOUDFRONT-VIEWER-COUNTRY']) {
    t.strictSame(valuesOf({ rules: [{ type: 'header-value', header }] }, { 'cloudfront-viewer-country': 'CH' }), ['CH'])
  }
})

t.test('what CloudFront has encoded is decoded, and nothing else', async t => {
  const value = (header: string, text: string): string | undefined => valuesOf({ rules: [{ type: 'header-value', header }] }, { [header.toLowerCase()]: text })?.[0]
  t.equal(value('CloudFront-Viewer-City', 'S%C3%A3o%20Paulo'), 'São Paulo')
  t.equal(value('CloudFront-Viewer-Country-Region-Name', 'Z%C3%BCrich'), 'Zürich')
  t.equal(value('CloudFront-Viewer-Country-Name', 'C%C3%B4te%20d%27Ivoire'), "Côte d'Ivoire")
  for (const malformed of ['100%', '%zz', '%C3']) t.equal(value('CloudFront-Viewer-City', malformed), malformed)
  t.equal(value('X-City', 'S%C3%A3o'), 'S%C3%A3o')
})

t.test('names that every object has are no headers of a request', async t => {
  for (const header of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
    t.equal(valuesOf({ rules: [{ type: 'header-value', header }] }), undefined, header)
  }
})

t.test('a header that comes more than once is one list', async t => {
  const { header } = surroundingsOf({ 'x-a': ['one', 'two'] }, createClock(() => 0))
  t.equal(header('x-a'), 'one, two')
})

t.test('fields are data, whatever they are called', async t => {
  const autoContext = JSON.parse('{"__proto__":{"type":"string","default":"a","rules":[]},"constructor":{"type":"string","default":"b","rules":[]}}') as object
  t.strictSame(JSON.stringify(Object.entries(derive(autoContext)).map(([name, { values }]) => [name, values[0]])), '[["__proto__","a"],["constructor","b"]]')
})

t.test('the headers that rules read are known, each once', async t => {
  const filters = [{ arn: 'arn:aws:personalize:us-east-1:123456789012:filter/f', autoDynamicFilterValues: { A: { type: 'string', rules: [segment, { type: 'header-value', header: 'Accept-Language' }] } } }]
  const autoContext = (...rules: object[]): object => ({ a: { type: 'string', rules }, b: { type: 'string', default: 'x', rules: [] } })
  t.strictSame(loadRules(autoContext(segment, segment), filters).headers, ['accept-language', 'x-segment'])
  t.strictSame(loadRules(autoContext(hour, { type: 'day-of-week' })).headers, ['cloudfront-viewer-time-zone'])
  t.strictSame(loadRules(autoContext({ type: 'season' })).headers, ['cloudfront-viewer-latitude', 'cloudfront-viewer-time-zone', 'x-viewer-hemisphere'])
  t.strictSame(loadRules(autoContext()).headers, [])
  t.strictSame(loadRules().headers, [])
})
