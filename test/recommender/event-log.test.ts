import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openEventLog, type Appended, type EventLog, type EventLogOptions, type LoggedEvent } from '../../src/recommender/event-log.ts'
import { latestTime } from '../../src/base/time.ts'
import { eventually } from '../support/eventually.ts'
import { loggedEvent } from '../support/logged-event.ts'

const onError = (error: unknown): void => { throw error }

async function openLog (t: Test, options: Partial<EventLogOptions> = {}, directory = join(t.testdir(), 'log')): Promise<EventLog> {
  const log = await openEventLog(directory, { now: Date.now, onError, ...options })
  t.teardown(log.close)
  return log
}

const all = (log: EventLog): LoggedEvent[] => log.read(undefined, 1e6).map(({ event }) => event)
const idsOf = ({ added }: Appended): string[] => added.map(({ event }) => event.eventId)
const ids = (log: EventLog): string[] => all(log).map(({ eventId }) => eventId)

const byTime = { timeOf: ({ sentAt }: LoggedEvent) => sentAt }

t.test('events are read in the order in which they arrived', async t => {
  let now = 5000
  const log = await openLog(t, { now: () => now })
  await log.append([loggedEvent('c', { sentAt: 3 }), loggedEvent('a', { sentAt: 1 })])
  now = 6000
  await log.append([loggedEvent('b', { sentAt: 2 })])
  t.strictSame(ids(log), ['c', 'a', 'b'])
  t.strictSame(all(log).map(({ sentAt }) => sentAt), [3, 1, 2], 'and keep the time at which they were sent')
})

t.test('imported events are read where their time puts them', async t => {
  const log = await openLog(t, { now: () => 5000 })
  await log.append([loggedEvent('live')])
  await log.append([loggedEvent('b', { sentAt: 2000 }), loggedEvent('c', { sentAt: 2000 }), loggedEvent('a', { sentAt: 1000 })], byTime)
  await log.append([loggedEvent('d', { sentAt: 2000 }), loggedEvent('first', { sentAt: 0 }), loggedEvent('far', { sentAt: Date.UTC(2999, 0) })], byTime)
  t.strictSame(ids(log), ['first', 'a', 'b', 'c', 'd', 'live', 'far'])
  t.equal(log.count, 7)
})

t.test('reading goes on after a key', async t => {
  const log = await openLog(t)
  await log.append(['a', 'b', 'c', 'd', 'e'].map((id, i) => loggedEvent(id, { sentAt: i })), byTime)
  const found: string[] = []
  let batch = log.read(undefined, 2)
  for (; batch.length > 0; batch = log.read(batch.at(-1)!.key, 2)) {
    t.ok(batch.length <= 2)
    found.push(...batch.map(({ event }) => event.eventId))
  }
  t.strictSame(found, ['a', 'b', 'c', 'd', 'e'])
})

t.test('an event is kept whole', async t => {
  const log = await openLog(t)
  const whole: LoggedEvent = {
    eventId: 'Ünï-✓',
    userId: 'u\0\n"',
    sessionId: 's',
    itemId: '🧦',
    eventType: 'purchase',
    sentAt: 1_700_000_000_123,
    eventValue: 9.5,
    properties: '{"a":"\u2028"}',
    recommendationId: 'r',
    impression: ['x', 'y']
  }
  await log.append([whole, loggedEvent('bare', { userId: undefined, sessionId: 's', sentAt: 1_700_000_000_124 })], byTime)
  const [first, second] = all(log)
  t.strictSame(first, whole)
  t.equal(second!.userId, undefined)
  t.equal(second!.sessionId, 's')
})

t.test('an event is written once, by its id', async t => {
  const log = await openLog(t)
  const keys: number[] = []
  const counting = { onWriting: (settled: Buffer[]): void => { keys.push(settled.length) } }
  const first = await log.append([loggedEvent('a', { itemId: 'x' }), loggedEvent('a', { itemId: 'y' }), loggedEvent('b')], counting)
  t.strictSame(idsOf(first), ['a', 'b'])
  t.strictSame(idsOf(await log.append([loggedEvent('b'), loggedEvent('c')], counting)), ['c'])
  t.strictSame(idsOf(await log.append([loggedEvent('a')], counting)), [])
  t.strictSame(idsOf(await log.append([])), [])
  t.strictSame(keys, [2, 1, 0])
  t.strictSame(all(log).map(({ eventId, itemId }) => [eventId, itemId]), [['a', 'x'], ['b', 'i'], ['c', 'i']])
})

t.test('an event that comes many times at once is written once, and all wait for it', async t => {
  const log = await openLog(t)
  const added = await Promise.all(Array.from({ length: 50 }, async (_, i) => {
    const appended = await log.append([loggedEvent('same'), loggedEvent(`own-${i}`)])
    await appended.others
    t.ok(ids(log).includes('same'), 'it is there when the append is over')
    return idsOf(appended)
  }))
  t.equal(added.flat().length, 51)
  t.equal(added.flat().filter(id => id === 'same').length, 1)
  t.equal(log.count, 51)
})

t.test('a log opened again has its events and knows them', async t => {
  const directory = join(t.testdir(), 'log')
  const before = await openEventLog(directory, { now: Date.now, onError })
  await before.append([loggedEvent('b', { sentAt: 2 }), loggedEvent('a', { sentAt: 1 })], byTime)
  await before.close()
  const log = await openLog(t, {}, directory)
  t.strictSame(ids(log), ['a', 'b'])
  t.strictSame(idsOf(await log.append([loggedEvent('a')])), [])
})

t.test('a full log drops the oldest events by their time', async t => {
  const log = await openLog(t, { limit: 100 })
  await log.append(Array.from({ length: 100 }, (_, i) => loggedEvent(`e${i}`, { sentAt: 10_000 - i })), byTime)
  t.equal(log.count, 100)
  await log.append([loggedEvent('newest', { sentAt: 20_000 })], byTime)
  await eventually('the oldest are gone', () => log.count <= 100)
  t.ok(log.count <= 100 && log.count >= 90, 'a few at once, not many')
  t.ok(ids(log).includes('newest') && ids(log).includes('e0'))
  t.notOk(ids(log).includes('e99'))
  t.strictSame(idsOf(await log.append([loggedEvent('e0')])), [], 'those that are kept are known')
})

t.test('a full log stays bounded under appends at once', async t => {
  const log = await openLog(t, { limit: 50 })
  await Promise.all(Array.from({ length: 40 }, (_, i) => log.append([0, 1, 2, 3, 4].map(n => loggedEvent(`${i}-${n}`, { sentAt: i })), byTime)))
  await eventually('the oldest are gone', () => log.count <= 50)
  t.ok(log.count >= 40)
})

t.test('two openers of one directory share the events', async t => {
  const directory = join(t.testdir(), 'log')
  const [one, other] = [await openLog(t, {}, directory), await openLog(t, {}, directory)]
  await one.append([loggedEvent('a', { sentAt: 1 })], byTime)
  await other.append([loggedEvent('a', { sentAt: 1 }), loggedEvent('b', { sentAt: 2 })], byTime)
  t.strictSame(ids(one), ['a', 'b'])
})

t.test('any time that an event may have can be written', async t => {
  const log = await openLog(t)
  await log.append([loggedEvent('last', { sentAt: latestTime }), loggedEvent('now'), loggedEvent('first', { sentAt: 0 })], byTime)
  t.strictSame(ids(log), ['first', 'now', 'last'])
})

t.test('closing while the oldest are being removed is no failure', async t => {
  const errors: unknown[] = []
  const log = await openEventLog(join(t.testdir(), 'log'), { now: Date.now, onError: error => { errors.push(error) }, limit: 10 })
  const appended = log.append(Array.from({ length: 20 }, (_, i) => loggedEvent(`e${i}`)))
  t.equal((await appended).added.length, 20)
  await log.close()
  t.strictSame(errors, [], 'closing waits for it')
})

t.test('the same eventId of another user, or of another session, is another event', async t => {
  const log = await openLog(t)
  const events = [{ userId: 'u1' }, { userId: 'u2' }, { userId: undefined, sessionId: 's1' }, { userId: undefined, sessionId: 's2' }].map(owner => loggedEvent('1', owner))
  t.equal((await log.append(events)).added.length, 4)
  t.equal((await log.append(events)).added.length, 0)
  const long = ['\u{1F9E6}', '\u{1F9E4}'].map(glyph => loggedEvent(glyph.repeat(256), { userId: glyph.repeat(256) }))
  t.equal((await log.append(long)).added.length, 2, 'however long the ids are')
})

t.test('an older log, which knows an eventId without its owner, still knows its events', async t => {
  const directory = join(t.testdir(), 'log')
  const before = await openEventLog(directory, { now: Date.now, onError })
  await before.append([loggedEvent('a', { userId: 'u1' }), loggedEvent('b', { userId: 'u1' })])
  await before.close()
  const { open } = await import('lmdb')
  const root = open({ path: directory, maxDbs: 4 })
  await root.openDB('owned-ids', { keyEncoding: 'binary', encoding: 'string' }).clearAsync()
  const older = root.openDB('ids', { encoding: 'string' })
  await Promise.all(['a', 'b'].map(async id => older.put(id, '')))
  await root.close()
  const [log, other] = [await openLog(t, {}, directory), await openLog(t, {}, directory)]
  const again = [loggedEvent('a', { userId: 'u1' }), loggedEvent('a', { userId: 'u2' }), loggedEvent('b', { userId: 'u1' })]
  t.strictSame((await log.append(again)).added.map(({ event }) => event.userId), ['u2'])
  t.equal((await other.append(again)).added.length, 0)
})
