import t from 'tap'
import { membersOf } from '../../src/records/json-members.ts'
import { seededRandom } from '../support/seeded-random.ts'

const read = (text: string): string[][] => membersOf(text).map(({ key, from, valueFrom, to }) => [key, text.slice(valueFrom, to), text.slice(from, to)])

t.test('members are told as they were written', async t => {
  t.strictSame(read('{"a":1.0,"b":"x"}'), [['a', '1.0', '"a":1.0'], ['b', '"x"', '"b":"x"']])
  t.strictSame(read(' {\t"a" :\r[ 1 , {"b":"]"} ] , "c": { "a" : "}" } } '), [['a', '[ 1 , {"b":"]"} ]', '"a" :\r[ 1 , {"b":"]"} ]'], ['c', '{ "a" : "}" }', '"c": { "a" : "}" }']])
  t.strictSame(read('{}'), [])
  t.strictSame(read(' { } '), [])
})

t.test('quotes and backslashes end a string where they do', async t => {
  t.strictSame(read(String.raw`{"a":"\\","b":"\"","c":"\\\"","d\"":null}`).map(([key, value]) => [key, value]),
    [['a', String.raw`"\\"`], ['b', String.raw`"\""`], ['c', String.raw`"\\\""`], ['d"', 'null']])
})

t.test('keys are decoded, and one that comes twice is two members', async t => {
  t.strictSame(read(String.raw`{"\u0069d":1,"id":2,"":3,"__proto__":4}`).map(([key, value]) => [key, value]), [['id', '1'], ['id', '2'], ['', '3'], ['__proto__', '4']])
})

t.test('how deep a value is nested does not matter', async t => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
  t.equal(read(`{"a":${deep},"b":1}`)[0]![1]!.length, deep.length)
})

t.test('of any object the members are those that a parser finds', async t => {
  const random = seededRandom(7)
  const plain = (): unknown => random.pick<unknown>([0, -1.5e-7, true, null, '', '\\', '"', '{"', '],}', '\u2028', '🧦'])
  const value = (depth: number): unknown => {
    const kind = depth > 3 ? 'plain' : random.pick(['plain', 'list', 'object'])
    if (kind === 'plain') return plain()
    return kind === 'list' ? [value(depth + 1), value(depth + 1)] : { [String(plain())]: value(depth + 1), x: value(depth + 1) }
  }
  for (let i = 0; i < 2000; i++) {
    const object = Object.fromEntries(Array.from({ length: 4 }, () => [String(plain()), value(0)]))
    const text = JSON.stringify(object, null, random.pick([0, 2, '\t']))
    const found = Object.fromEntries(membersOf(text).map(({ key, valueFrom, to }) => [key, JSON.parse(text.slice(valueFrom, to)) as unknown]))
    if (JSON.stringify(found) !== JSON.stringify(object)) return t.fail(text)
  }
  t.pass('of all')
})
