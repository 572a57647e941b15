import t from 'tap'
import { createEntry, type Made } from '../../src/cache/entry.ts'
import { decodeShared, encodeShared, type Shared } from '../../src/cache/redis-codec.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { testPolicy } from '../support/test-cache.ts'

const sharedOf = (made: Partial<Made> = {}, more: Partial<Shared> = {}): Shared =>
  ({ entry: createEntry({ body: '{"itemList":[]}', variation: 'main', ...made }, testPolicy, 1_700_000_000_000), version: 'v', epoch: 'e', ...more })

t.test('what is written is read, whatever the body', async t => {
  for (const body of ['{"itemList":[]}', '', '\n', '\n\n\n', '{"a":"Tee – grün \u{1f600}"}', 'x'.repeat(100_000)]) {
    const shared = sharedOf({ body })
    t.strictSame(decodeShared(encodeShared(shared)), shared)
  }
})

t.test('what need not be there need not be there', async t => {
  for (const shared of [sharedOf({}, { version: '', epoch: '' }), sharedOf({ degraded: 'timeout' }), sharedOf({ variation: 'größer und kleiner' })]) {
    t.strictSame(decodeShared(encodeShared(shared)), shared)
  }
})

t.test('what is read keeps nothing else alive', async t => {
  const bytes = encodeShared(sharedOf({ body: 'x'.repeat(50_000) }))
  const around = Buffer.concat([Buffer.alloc(1_000_000), bytes])
  const { body } = decodeShared(around.subarray(1_000_000))!.entry
  t.ok(body.buffer.byteLength < 100_000)
  around.fill(0)
  t.equal(body.toString(), 'x'.repeat(50_000), 'nor does it change with it')
})

t.test('what is no entry is not taken for one', async t => {
  const good = encodeShared(sharedOf()).toString()
  const lines = good.split('\n')
  const withLine = (i: number, line: string): string => lines.with(i, line).join('\n')
  for (const text of ['', '\n', 'nonsense', '\n'.repeat(9), good.slice(2), withLine(0, '2'), withLine(0, ''), withLine(6, 'soon'), withLine(9, 'never'), good.slice(0, -1), lines.slice(0, 10).join('\n')]) {
    t.equal(decodeShared(Buffer.from(text)), undefined, JSON.stringify(text.slice(0, 80)))
  }
})

t.test('whatever the bytes are, nothing is thrown', async t => {
  const random = seededRandom(7)
  const good = encodeShared(sharedOf())
  for (let i = 0; i < 2_000; i++) {
    const bytes = Buffer.from(good.subarray(0, random.integer(0, good.length)))
    for (let n = random.integer(0, 5); n > 0 && bytes.length > 0; n--) bytes[random.integer(0, bytes.length - 1)] = random.integer(0, 255)
    decodeShared(bytes)
  }
  t.pass('nothing was')
})
