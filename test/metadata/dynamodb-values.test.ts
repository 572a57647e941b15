import t from 'tap'
import { toAttributes, toJson } from '../../src/metadata/dynamodb/values.ts'

const there = (text: string): unknown => JSON.parse(JSON.stringify(toAttributes(text).attributes))
const thereAndBack = (text: string): string => toJson({ M: toAttributes(text).attributes })

t.test('JSON becomes attributes, numbers as they were written', async t => {
  t.strictSame(there('{"s":"x","empty":"","n":0.1000000000000000055,"e":-1.50E+10,"yes":true,"no":false,"none":null,"list":[1,[],{}],"map":{"k":"v"}}'), {
    s: { S: 'x' },
    empty: { S: '' },
    n: { N: '0.1000000000000000055' },
    e: { N: '-1.50E+10' },
    yes: { BOOL: true },
    no: { BOOL: false },
    none: { NULL: true },
    list: { L: [{ N: '1' }, { L: [] }, { M: {} }] },
    map: { M: { k: { S: 'v' } } }
  })
})

t.test('attributes become the same JSON again', async t => {
  for (const text of ['{}', '{"a":[[[{"b":[]}]],""],"c":{"d":{}}}', '{"__proto__":{"__proto__":1},"constructor":null}', '{"":"","\\"":"\\u2028\\n"}'.replace('\\u2028', '\u2028'), '{"n":[0,-0,1e5,1E-130,9.9E+125,0.00,100000000000000000000000000000000000000000000]}']) {
    t.equal(thereAndBack(text), text)
  }
  t.equal(thereAndBack(' { "a" : [ 1 , 2 ] ,\t"a" : "\\u00fc" } '), '{"a":"ü"}', 'of two members with the same key the last one counts')
})

t.test('what others put in the table comes out as what JSON has for it', async t => {
  const of = (text: string): Uint8Array => Buffer.from(text)
  t.equal(toJson({ M: { ss: { SS: ['a', 'b'] }, ns: { NS: ['1', '2.5'] }, b: { B: of('ab') }, bs: { BS: [of('a'), of('b')] } } }),
    '{"ss":["a","b"],"ns":[1,2.5],"b":"YWI=","bs":["YQ==","Yg=="]}')
  t.equal(toJson({ L: [{ N: '.5' }, { N: '007' }, { N: 'x' }] }), '[".5","007","x"]', 'what is no number of JSON does not break the text')
  t.equal(toJson({ $unknown: ['X', 1] }), 'null')
})

t.test('numbers that DynamoDB refuses are refused before they are sent', async t => {
  const nines = '9'.repeat(38)
  for (const number of [nines, `-${nines}`, `0.${'0'.repeat(91)}${nines}`, `${nines}${'0'.repeat(88)}`, '1e125', '1e-130', '0e999', `${nines}.000`]) t.doesNotThrow(() => toAttributes(`{"n":${number}}`), number)
  for (const number of [`${nines}1`, `1${'0'.repeat(37)}.1`]) t.throws(() => toAttributes(`{"n":${number}}`), { message: /38 significant digits/ }, number)
  for (const number of ['1e126', '-1e126', '1e-131', `1${'0'.repeat(126)}`, '1e99999999999999999999', '10e125']) t.throws(() => toAttributes(`{"n":${number}}`), { message: /range/ }, number)
  t.throws(() => toAttributes(`{"n":1.${'0'.repeat(600)}}`), { message: /too long/ })
})

t.test('what is no object, or no JSON, or nested too deeply is refused', async t => {
  for (const text of ['[]', '1', '"x"', 'null', '', '{', '{"a":}', '{"a":1}}', '{"a":01}', '{/**/}', '{"a":tru}']) t.throws(() => toAttributes(text), { message: /is not/ }, text)
  const nested = (levels: number): string => `${'{"a":'.repeat(levels - 1)}{}${'}'.repeat(levels - 1)}`
  t.doesNotThrow(() => toAttributes(nested(31)))
  t.throws(() => toAttributes(nested(32)), { message: /nested/ })
  t.throws(() => toAttributes(nested(1_000_000)), { message: /nested/ })
  t.throws(() => toAttributes('{"a":"\\ud800"}'), { message: /half a character/ })
  t.throws(() => toAttributes('{"\\udc00":1}'), { message: /half a character/ })
})

t.test('the size counts keys and values in bytes', async t => {
  t.equal(toAttributes('{}').size, 4)
  t.equal(toAttributes('{"ü":"🧦"}').size, 4 + 2 + 4 + 1)
  t.ok(toAttributes('{"n":12345678}').size >= 4 + 1 + 5)
})
