import t from 'tap'
import Type, { type TSchema } from 'typebox'
import { checker, escapePointer, expectation } from '../../src/base/validation.ts'
import { strict } from '../../src/base/schema.ts'

const findings = (schema: TSchema, value: unknown, pointer?: string): string[] =>
  checker(schema)(value, pointer).findings.map(({ pointer, message }) => `${pointer} ${message}`)

const Person = strict({
  name: Type.String({ minLength: 1, maxLength: 5 }),
  age: Type.Optional(Type.Integer({ minimum: 0, maximum: 150 })),
  tags: Type.Optional(Type.Array(Type.String(), { maxItems: 2 }))
})

t.test('a good value has no findings and is given back', async t => {
  const value = { name: 'x', age: 1 }
  const checked = checker(Person)(value)
  t.strictSame(checked.findings, [])
  t.equal(checked.value, value)
})

t.test('everything that is wrong is listed at once, with pointers', async t => {
  t.strictSame(findings(Person, { name: '', age: 1.5, tags: ['a', 1, 'c'], more: 1 }).sort(), [
    '/age expected an integer from 0 to 150',
    '/more is not a known key here',
    '/name expected a string of 1 to 5 characters',
    '/tags expected a list of at most 2 items',
    '/tags/1 expected a string'
  ])
})

t.test('what is missing is told with what was expected', async t => {
  t.strictSame(findings(strict({ a: Person, b: Type.Boolean() }), { a: {} }).sort(), ['/a/name is missing; expected a string of 1 to 5 characters', '/b is missing; expected true or false'])
})

t.test('pointers go on from where the value is, and are escaped', async t => {
  t.strictSame(findings(Person, { name: 'x', 'a/b~c': 1 }, '/here'), ['/here/a~1b~0c is not a known key here'])
  t.equal(escapePointer('~/~1'), '~0~1~01')
})

t.test('a bad name in a record is told as a name', async t => {
  const Names = Type.Record(Type.String({ pattern: '^[a-z]+$' }), Type.Integer(), { additionalProperties: false })
  t.strictSame(findings(Names, { ok: 1, 'NOT OK': 1, bad: 'x' }).sort(), ['/NOT OK is not a valid name here; expected ^[a-z]+$', '/bad expected an integer'])
})

t.test('more than a few mistakes are listed', async t => {
  t.equal(findings(Type.Array(Type.Integer()), Array.from({ length: 100 }, () => 'x')).length, 100)
})

t.test('any value can be checked', async t => {
  for (const value of [null, undefined, 1, 'x', [], [null], Object.create(null), JSON.parse('{"__proto__":1}')]) t.ok(findings(Person, value).length > 0)
})

const words: ReadonlyArray<readonly [TSchema, string]> = [
  [Type.Integer({ minimum: 1 }), 'an integer at least 1'],
  [Type.Number({ maximum: 5 }), 'a number at most 5'],
  [Type.Number({ exclusiveMinimum: 0, maximum: 5 }), 'a number from 0 to 5'],
  [Type.String({ pattern: '^x$' }), 'a string matching ^x$'],
  [Type.Array(Type.String(), { minItems: 1 }), 'a list of at least 1 items'],
  [Type.Object({}), 'an object'],
  [Type.Literal('x'), '"x"'],
  [Type.Enum(['a', 'b']), 'one of "a", "b"'],
  [Type.Union([Type.String(), Type.Number(), Type.String()]), 'a string or a number'],
  [Type.Unknown({ description: 'a wish' }), 'a wish']
]

for (const [schema, text] of words) {
  t.test(`an expectation in words: ${text}`, async t => {
    t.equal(expectation(schema as Parameters<typeof expectation>[0]), text)
  })
}

t.test('a union that nothing matches says what would', async t => {
  t.match(findings(strict({ a: Type.Union([Type.String(), Type.Number()]) }), { a: true }).join(), '/a expected a string or a number')
})
