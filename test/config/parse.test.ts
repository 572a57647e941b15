import t from 'tap'
import { ConfigError, parseConfig } from '../../src/config/parse.ts'
import { embeddedDocument } from '../support/config-documents.ts'

function refusal (text: string): ConfigError {
  try {
    parseConfig(text, 'file.json')
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('was not refused')
}

t.test('a sound document is read', async t => {
  t.strictSame(parseConfig(JSON.stringify(embeddedDocument()), 'file.json'), embeddedDocument())
})

t.test('a refusal names the source and every mistake with its pointer', async t => {
  const error = refusal('{"version":1,"surprise":2}')
  t.match(error.message, /^file\.json /)
  t.strictSame(error.findings.map(({ pointer }) => pointer).sort(), ['/namespaces', '/surprise', '/version'])
  for (const { pointer, message } of error.findings) t.match(error.message, `${pointer}: ${message}`)
  t.match(refusal('null').message, '(document): expected an object')
})

const places: ReadonlyArray<readonly [text: string, line: number, column: number]> = [
  ['{\n  "a": 1\n  "b": 2\n}\n', 3, 3],
  ['{\n  "a": nope\n}\n', 2, 9],
  ['{\n  "a": 1,,\n}\n', 2, 10],
  ['{\n  "a": [1, 2,,]\n}\n', 2, 14],
  ['{"a":}\n\n', 1, 6],
  ['{\n  "a": \'x\'\n}\n', 2, 8],
  ['{\n  "a": 1', 2, 9],
  ['', 1, 1],
  ['<html>\n</html>', 1, 1]
]

for (const [text, line, column] of places) {
  t.test(`a mistake in the JSON is told with its line and column: ${JSON.stringify(text)}`, async t => {
    const { findings, message } = refusal(text)
    t.equal(findings.length, 1)
    const found = /line (\d+),? column (\d+)/.exec(findings[0]!.message)
    t.ok(found !== null, message)
    t.equal(Number(found?.[1]), line, message)
    t.ok(Math.abs(Number(found?.[2]) - column) <= 1, `column ${column} expected: ${message}`)
  })
}

t.test('a mistake in the JSON does not quote the document', async t => {
  for (const text of ['{"password": hunter2}', '{"password": "hunter2" "x"}', '{"a":"hunter2', 'hunter2']) t.notMatch(refusal(text).message, 'hunter2')
})

t.test('comments and trailing commas are accepted (JSONC)', async t => {
  const text = `\ufeff// of the shop
  {
    "version": "1", /* a "comment" with quotes, and { */
    "title": "http://not-a-comment/*,*/",
    "namespaces": { "shop": { "eventTargets": [{ "type": "embedded", },], }, }, // the last
  }
  // the end`
  t.strictSame(parseConfig(text, 'file.json'), { version: '1', title: 'http://not-a-comment/*,*/', namespaces: { shop: { eventTargets: [{ type: 'embedded' }] } } })
})

t.test('whatever JSON.parse accepts has the same value', async t => {
  const values = ['{"version":"\\u00fc\\ud83d\\ude00\\n\\/","namespaces":{}}', '{"cacheControl":{"userSpecified":{"maxAge":1e1,"directives":""}},"namespaces":{}}', '\r\n\t {"namespaces" : { } }  ']
  for (const text of values) t.strictSame(parseConfig(text, 'file.json'), JSON.parse(text))
  t.match(refusal('{"namespaces":{"__proto__":{"surprise":1}}}').findings, [{ pointer: '/namespaces/__proto__/surprise' }], 'a key like any other')
})

t.test('a mistake in the JSON is told in words of JSON', async t => {
  const words: ReadonlyArray<readonly [string, RegExp]> = [
    ['{"a": nope}', /neither true, false nor null/], ["{'a': 1}", /double quotes/], ['{"a" 1}', /":" after the key/], ['{"a": 1 "b": 2}', /"," between the members/],
    ['{"a": 1', /"}"/], ['[1', /"]"/], ['{} {}', /nothing after the end/], ['{"a": "x}', /closing double quote/], ['{"a": "\\x"}', /escape/], ['{"a": "\\u12"}', /hexadecimal/],
    ['{"a": 1 /* }', /comment without an end/], ['{"a": "\t"}', /control character/], ['', /expected a value/], ['{"a": 01}', /./], ['{"a": .5}', /./], ['{"a": +1}', /./], ['{"a": NaN}', /./], ['{"a": 1.}', /./]
  ]
  for (const [text, message] of words) {
    t.match(refusal(text).message, message, text)
    t.notMatch(refusal(text).message, /[a-z][A-Z][a-z]+Expected|InvalidSymbol|UnexpectedEnd/, text)
  }
})

t.test('duplicate keys are mistakes, each with its pointer', async t => {
  const variation = '{"type":"embedded"}'
  const text = `{"version":"1","namespaces":{"a/b":{},"shop":{"recommenders":{"recommend-items":{"r":{"variations":{"v":${variation},"v":${variation}}},"r":{"variations":{"v":${variation}}}}}}},"version":"2"}`
  const pointers = refusal(text).findings.filter(({ message }) => message.includes('twice')).map(({ pointer }) => pointer)
  t.strictSame(pointers, ['/version', '/namespaces/shop/recommenders/recommend-items/r', '/namespaces/shop/recommenders/recommend-items/r/variations/v'])
  t.match(refusal('{"namespaces":{},"surprise":1,"surprise":2}').findings, [{ pointer: '/surprise', message: /twice/ }, { pointer: '/surprise', message: /known/ }], 'other mistakes are listed, too')
})

t.test('mistakes below an invalid name are listed, too', async t => {
  const variations = { 'of/c': { type: 'embedded', resilience: { timeout: 0 } } }
  const document = { namespaces: { 'a:b': { name: 7, recommenders: { 'recommend-items': { 'r?': { surprise: 1, cacheControl: { userSpecified: {} }, variations } } } } } }
  const at = '/namespaces/a:b/recommenders/recommend-items/r?'
  const pointers = refusal(JSON.stringify(document)).findings.map(({ pointer }) => pointer)
  for (const pointer of ['/namespaces/a:b', '/namespaces/a:b/name', at, `${at}/surprise`, `${at}/cacheControl/userSpecified/maxAge`, `${at}/variations/of~1c`, `${at}/variations/of~1c/resilience/timeout`]) {
    t.equal(pointers.filter(found => found === pointer).length, 1, pointer)
  }
})

t.test('a document that is nested too deeply is refused', async t => {
  t.match(refusal(`{"namespaces":${'['.repeat(100_000)}`).message, /nested too deeply|is not JSON/)
})
