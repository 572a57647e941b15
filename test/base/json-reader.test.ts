import t from 'tap'
import { createJsonReader, deepest, type JsonShape } from '../../src/base/json-reader.ts'
import { isWholeJson, JsonText } from '../../src/base/json-text.ts'
import { readJsonBody, readJsonLines } from '../../src/base/read-json-body.ts'
import { createTurns } from '../../src/base/turns.ts'
import { seededRandom } from '../support/seeded-random.ts'

const beginTurns = createTurns()

async function read (text: string | Buffer, shape: Partial<JsonShape> = {}): Promise<unknown> {
  return readJsonBody(Buffer.from(text as string), { most: 1_000_000, ...shape }, beginTurns())
}

const outcome = async (text: string): Promise<string> => read(text).then(value => JSON.stringify(value), () => 'refused')
const expected = (text: string): string => {
  try {
    return JSON.stringify(JSON.parse(text))
  } catch {
    return 'refused'
  }
}

t.test('JSON is read as JSON.parse reads it, and refused where that refuses it', async t => {
  const texts = ['1', '-0', '1e5', '01', '.5', '1.', '+1', 'NaN', 'tru', 'truex', 'true false', '"a"', '"\\u0061\\n\\""', '"\\x"', '"a\nb"', '"a', '"\\', '[]', '[1,]', '[,1]', '[1 2]', '{}', '{"a":1,"a":2}', '{"a"}', '{"a":}',
    '{"a":1,}', '{a:1}', '[}', '{]', '[1', '{"a":[{"b":null}]} ', ' \t\r\n[ 1 , "é💥" ]', '1,', '[[],{}]', '']
  for (const text of texts) t.equal(await outcome(text), expected(text), text)
  const random = seededRandom(7)
  const whole = '{"a":[1,-2.5e3,true,null,{"b":"c\\u00e9\\\\","d":[]}],"e":"💥"} '
  for (let i = 0; i < 3_000; i++) {
    const signs = [...whole]
    const at = random.integer(0, signs.length - 1)
    const text = signs.toSpliced(at, random.integer(0, 2), ...(random.next() < 0.5 ? [random.pick([...'{}[]",:1e-\\u '])] : [])).join('')
    if (/__proto__|prototype/.test(text)) continue
    t.equal(await outcome(text), expected(text), text)
  }
})

t.test('a byte order mark is passed over', async t => t.same(await read('\ufeff{"a":1}'), { a: 1 }))

t.test('bytes that are not UTF-8 are refused by the name of the encoding: latin1, overlong, CESU-8, cut off', async t => {
  for (const hex of ['e9', 'c0af', 'e080af', 'eda0bdedb2a9', 'f09f92', 'f4908080', 'ff']) {
    await t.rejects(read(Buffer.concat([Buffer.from('{"a":"'), Buffer.from(hex, 'hex'), Buffer.from('"}')])), { code: 'InvalidBody', message: /UTF-8/ }, hex)
  }
})

t.test('half a surrogate pair is refused with its place, whole pairs are not', async t => {
  await t.rejects(read('{"list":[{},{"a/b":"x\\ud83d"}]}'), { message: 'body/list/1/a~1b: expected whole characters; it has half a surrogate pair' })
  await t.rejects(read('["\\udc00\\ud83d"]'), { message: /^body\/0: / })
  await t.rejects(read('{"\\udc00":1}'), { message: /half a surrogate pair/ })
  t.same(await read('["\\ud83d\\udca9", "\\\\ud83d"]'), ['💩', '\\ud83d'])
  t.notOk(isWholeJson('{"a":["\\ud83d"]}'))
  t.notOk(isWholeJson('{"\\uDC00":1}'))
  t.ok(isWholeJson('{"a":"\\\\ud83d \\ud83d\\udca9"}'))
})

t.test('depth is bounded', async t => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
  t.type(await read(nested(deepest)), Array)
  await t.rejects(read(nested(deepest + 1)), { code: 'InvalidBody', message: /^body: expected at most 32 lists and objects/ })
  await t.rejects(read('{"a":'.repeat(100)), { message: /^body: expected at most 32/ })
  const shape = { text: { key: 'p', depth: 1, longest: 100 } }
  await t.rejects(read(`{"p":{"a":${nested(31)}}}`, shape), { message: /^body\/p: expected at most 32 lists/ })
  await t.rejects(read(`{"p":{"a":${nested(3_000)}}}`, shape), { message: /^body\/p: expected at most 100 characters/ })
  await t.rejects(read(`[{"p":{"a":${'['.repeat(1e6)}`, { apart: true, text: { key: 'p', depth: 2, longest: 100 } }), { message: /^body: expected at most 32/ })
})

t.test('the number of values is bounded', async t => {
  t.same(await read('[1,2,3]', { most: 4 }), [1, 2, 3])
  await t.rejects(read('[1,2,3]', { most: 3 }), { code: 'InvalidBody', message: /^body: expected at most 3 values/ })
})

t.test('the number of values in a list is bounded, and not that of a list in properties', async t => {
  const list = (length: number): string => `[${Array(length).fill('{}').join()}]`
  t.type(await read(list(1_000)), Array)
  await t.rejects(read(`{"a":${list(1_001)}}`), { code: 'InvalidBody', message: 'body/a/1000: expected lists of at most 1000 items' })
  t.match(await read(`{"p":{"a":${list(2_000)}}}`, { text: { key: 'p', depth: 1, longest: 10_000 } }), { p: { text: String } })
})

t.test('keys that could change a prototype are refused, in properties too', async t => {
  const shape = { text: { key: 'p', depth: 1, longest: 1000 } }
  for (const text of ['{"__proto__":{}}', '{"\\u005f_proto__":1}', '{"constructor":{"prototype":{}}}', '{"p":{"__proto__":1}}']) await t.rejects(read(text, shape), { code: 'InvalidBody' }, text)
  t.same(await read('{"constructor":1,"prototype":2}'), { constructor: 1, prototype: 2 })
})

t.test('properties given as an object keep their numbers as written', async t => {
  const shape = { text: { key: 'p', depth: 1, longest: 60 } }
  const textOf = async (object: string): Promise<unknown> => (await read(`{"p":${object}}`, shape) as { p: JsonText }).p.text
  t.equal(await textOf('{ "a" : 1e999,\n"b":12345678901234567890, "c":-0 , "d":[ 1.0 , {} ]}'), '{"a":1e999,"b":12345678901234567890,"c":-0,"d":[1.0,{}]}')
  t.equal(await textOf('{"a b":"c  d\\u00e9\\"", "e":"é"}'), '{"a b":"c  dé\\"","e":"é"}', 'spaces in strings stay, escapes become what they stand for')
  t.equal(await textOf('{}'), '{}')
  t.same(await read('{"p":[1],"q":{"p":{"a":1}}}', shape), { p: [1], q: { p: { a: 1 } } }, 'only objects, and only there')
  t.equal(JSON.stringify(new JsonText('{"a":1}')), '{"a":1}')
  await t.rejects(read(`{"p":{"a":"${'é'.repeat(60)}"}}`, shape), { message: 'body/p: expected at most 60 characters of JSON' })
  await t.rejects(read(`{"p":{"a":[${'{},'.repeat(1e6)}{}]}}`, shape), { message: /^body\/p: expected at most 60/ })
  await t.rejects(read('{"p":{"a":["\\ud83d"]}}', shape), { message: /^body\/p: .*half a surrogate pair/ })
  for (const wrong of ['{"a":01}', '{"a" 1}', '{"a":"\\x"}', '{', '{"a":1,}']) await t.rejects(textOf(wrong), { message: /not JSON/ }, wrong)
})

t.test('where elements are independent, the fault of one stands in its place', async t => {
  const list = await read('[{"a":1},{"a":["\\ud83d"]},{"p":{"x":"yyyyyyyyyyyy"}},3]', { apart: true, text: { key: 'p', depth: 2, longest: 10 } }) as unknown[]
  t.match(list, [{ a: 1 }, { message: /^body\/a\/0: expected whole/ }, { message: /^body\/p: expected at most 10/ }, 3])
  await t.rejects(read('[{"a":1},{"a":[}]', { apart: true }), { message: /not JSON/ })
})

t.test('lines are read one by one', async t => {
  const lines = async (text: string, most = 10): Promise<unknown[]> => readJsonLines(Buffer.from(text), { most: 9 }, beginTurns(), most)
  t.match(await lines('{"a":1}\r\n\n  \n{"a":\n["\\ud83d"]\n2'), [{ a: 1 }, { code: 'InvalidBody' }, { message: /half a surrogate/ }, 2])
  t.equal((await lines('1\n2\n3\n4', 2)).length, 3, 'one more than allowed shows that there are too many')
})

t.test('a large body is read in slices, with other work between them', async t => {
  let time = 0
  const deferred: Array<() => void> = []
  const turn = createTurns({ now: () => time++, defer: run => { deferred.push(run) }, length: 8 })()
  const done = readJsonBody(Buffer.from(`[${Array(900).fill(`[${'{},'.repeat(220)}{}]`).join()}]`), { most: 1e6 }, turn)
  let slices = 0
  void done.finally(() => { slices = -slices })
  while (slices >= 0) {
    deferred.shift()?.()
    slices++
    await new Promise(resolve => setImmediate(resolve))
  }
  t.ok(-slices > 3, `${-slices} slices for 600 KB`)
})

t.test('one call reads no more than its budget and the value in which that ends', async t => {
  const reader = createJsonReader(Buffer.from(`[${'1,'.repeat(999)}1]`), { most: 1e6 })
  t.notOk(reader.read(100))
  t.ok(reader.count < 60)
  t.ok(reader.read(10_000))
  t.equal((reader.value as unknown[]).length, 1000)
})
