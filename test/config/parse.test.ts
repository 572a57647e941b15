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
  ['{\n  "a": 1,\n}\n', 3, 1],
  ['{\n  "a": [1, 2,]\n}\n', 2, 14],
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
