import t from 'tap'
import { parseExactly, stringifyExactly } from '../../src/base/exact-json.ts'

t.test('numbers are written back with their digits', async t => {
  for (const text of ['{"a":12345678901234567890,"b":[1.0,-0,1e3],"c":0.1}', '[9007199254740993]', '{"a":"12345678901234567890"}']) {
    t.equal(stringifyExactly(parseExactly(text)), text)
  }
})

t.test('an object that looks like a number of the library is an object all the same', async t => {
  const text = '{"list":[{"isLosslessNumber":true,"value":"}{","price":12345678901234567890}],"isLosslessNumber":true}'
  t.strictSame(stringifyExactly(parseExactly(text)), '{"list":[{"value":"}{","price":12345678901234567890}]}')
  t.equal(stringifyExactly({ text: '"isLosslessNumber":true' }), JSON.stringify({ text: '"isLosslessNumber":true' }))
})
