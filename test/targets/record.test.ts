import t from 'tap'
import type { EventBody } from '../../src/targets/body.ts'
import { recordsOf } from '../../src/targets/record.ts'
import { eventBody } from '../support/event-bodies.ts'

interface Read {
  body: { [member: string]: unknown, eventList?: Array<Record<string, unknown>> }
}

const read = (body: EventBody, mostBytes = 1e6): Array<Read['body']> => recordsOf(body, mostBytes).map(({ text }) => (JSON.parse(text) as Read).body)

t.test('a defaulted sentAt is in whole seconds, a given one as it was', async t => {
  const times = (timeGiven: boolean | undefined): unknown[] =>
    read(eventBody('u', ['a'], { sentAt: 1_700_000_000_987, ...(timeGiven === undefined ? {} : { timeGiven }) })).map(({ eventList }) => eventList![0]!['sentAt'])
  t.strictSame([times(false), times(true), times(undefined)], [[1_700_000_000], [1_700_000_000.987], [1_700_000_000.987]])
})

t.test('a record has further members as they came, and its own win', async t => {
  const body: EventBody = { ...eventBody('u', ['a'], { more: { price: { amount: 9.5 }, eventId: 'theirs', userId: 'nested' } }), more: { channel: 'app', userId: 'theirs', eventList: 'theirs' } }
  const [record] = read(body)
  t.match(record, { channel: 'app', userId: 'u', eventList: [{ price: { amount: 9.5 }, eventId: 'a', userId: 'nested' }] })
  t.notOk(Object.keys(record!.eventList![0]!).some(name => ['more', 'timeGiven', 'idGiven'].includes(name)))
})

t.test('the records of a body that is split repeat further members only if they are short', async t => {
  const ids = Array.from({ length: 500 }, (_, i) => `event-${i}`)
  const split = (length: number): Array<Read['body']> => read({ ...eventBody('u', ids, { properties: JSON.stringify({ a: 'x'.repeat(900) }) }), more: { note: 'x'.repeat(length) } }, 200_000)
  const short = split(1_000)
  t.ok(short.length > 2)
  t.ok(short.every(({ note }) => note === 'x'.repeat(1_000)))
  const long = split(150_000)
  t.ok(long.length < 20, 'so that the records are not many times as large as the body')
  t.strictSame(long.map(({ note }) => typeof note === 'string' ? note.length : 0).filter(length => length > 0), [150_000])
  t.strictSame(long.flatMap(({ eventList }) => eventList!.map(({ eventId }) => eventId)), ids)
})
