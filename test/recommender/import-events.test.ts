import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { openEventLog, type LoggedEvent } from '../../src/recommender/event-log.ts'
import { importEvents, type ImportedEvents, type ImportEventsOptions } from '../../src/recommender/import-events.ts'
import { eventLogDirectory } from '../../src/recommender/of-namespace.ts'
import { ImportError } from '../../src/records/import-error.ts'

const now = (): number => 1_800_000_000_000

function importing (t: Test) {
  const dataDir = t.testdir()
  return {
    import: async (name: string, content: string | Buffer, options: Partial<ImportEventsOptions> = {}): Promise<ImportedEvents> => {
      const file = join(dataDir, name)
      writeFileSync(file, content)
      return importEvents({ dataDir, namespace: 'shop', file, now, ...options })
    },
    logged: async (): Promise<LoggedEvent[]> => {
      const log = await openEventLog(eventLogDirectory(dataDir, 'shop'), { now, onError: error => { throw error } })
      const events = log.read(undefined, 1e6).map(({ event }) => event)
      await log.close()
      return events
    }
  }
}

const jsonLines = '{"userId":"u","itemId":"a","eventType":"buy","sentAt":1700000100}\n{"userId":"u","itemId":"b","sentAt":"2023-11-14T22:16:40Z","eventId":"mine"}\n'
const table = (separator: string): string => [['userId', 'itemId', 'eventType', 'sentAt', 'eventId'], ['u', 'a', 'buy', '1700000100', ''], ['u', 'b', '', '1700000200', 'mine']]
  .map(row => row.join(separator)).join('\r\n')

const files: Record<string, string | Buffer> = {
  'events.jsonl': jsonLines,
  'events.ndjson': jsonLines,
  'events.json': jsonLines,
  'events.jsonl.gz': gzipSync(jsonLines),
  'events.csv': table(','),
  'events.CSV': table(','),
  'events.csv.gz': gzipSync(table(',')),
  'events.tsv': table('\t'),
  'events.txt': table('\t'),
  'events.txt.gz': gzipSync(table('\t'))
}

for (const [name, content] of Object.entries(files)) {
  t.test(`${name} is imported`, async t => {
    const { import: take, logged } = importing(t)
    const { read, added, bad } = await take(name, content)
    t.strictSame([read, added, bad.count], [2, 2, 0])
    const events = await logged()
    t.match(events, [
      { userId: 'u', itemId: 'a', eventType: 'buy', sentAt: 1_700_000_100_000 },
      { userId: 'u', itemId: 'b', eventType: 'view', sentAt: 1_700_000_200_000, eventId: 'mine' }
    ])
  })
}

t.test('importing a file twice adds nothing', async t => {
  const { import: take } = importing(t)
  await take('one.jsonl', jsonLines)
  const again = await take('one.jsonl', jsonLines)
  t.strictSame([again.read, again.added], [2, 0])
})

t.test('importing a file without times twice adds nothing either', async t => {
  const { import: take } = importing(t)
  const lines = '{"userId":"u","itemId":"a"}\n{"userId":"u","itemId":"b"}\n'
  t.equal((await take('one.jsonl', lines)).added, 2)
  t.equal((await take('one.jsonl', lines, { now: () => now() + 1000 })).added, 0)
})

t.test('columns are named, and defaults fill what is not there', async t => {
  const { import: take, logged } = importing(t)
  await take('ratings.csv', 'who,what,stars\n7,42,5\n8,43,\n', { columns: { userId: 'who', itemId: 'what', eventValue: 'stars' }, eventType: 'rating' })
  t.match(await logged(), [
    { userId: '7', itemId: '42', eventType: 'rating', eventValue: 5, sentAt: now() },
    { userId: '8', itemId: '43', eventType: 'rating', eventValue: undefined, sentAt: now() }
  ])
})

t.test('numbers are ids too, and a session stands in for a user', async t => {
  const { import: take, logged } = importing(t)
  await take('events.jsonl', '{"userId":7,"itemId":42,"sentAt":1}\n{"sessionId":"s","itemId":"x","sentAt":2}\n')
  t.match(await logged(), [{ userId: '7', itemId: '42' }, { sessionId: 's', itemId: 'x' }])
})

const mixed = [
  '{"userId":"u","itemId":"good-1","sentAt":1}', 'nonsense', '[1]', '{"userId":"u"}', '{"itemId":"a"}', '',
  '{"userId":"u","itemId":"a","sentAt":"soon"}', '{"userId":"u","itemId":"a","eventValue":"much"}',
  `{"userId":"u","itemId":"${'x'.repeat(257)}"}`, '{"userId":"u","itemId":"good-2","sentAt":2}'
].join('\n')

t.test('bad lines are listed by their numbers, and the rest is imported', async t => {
  const { import: take, logged } = importing(t)
  const { read, added, bad } = await take('events.jsonl', mixed)
  t.strictSame([read, added, bad.count], [2, 2, 7])
  t.strictSame(bad.listed.map(({ line }) => line), [2, 3, 4, 5, 7, 8, 9])
  t.match(bad.listed.map(({ problem }) => problem), [/JSON/, /object/, /itemId/, /userId/, /sentAt/, /eventValue/, /256/])
  t.strictSame((await logged()).map(({ itemId }) => itemId), ['good-1', 'good-2'])
})

t.test('a strict import refuses a file with a bad line whole', async t => {
  const { import: take, logged } = importing(t)
  const refusal = await take('events.jsonl', mixed, { strict: true }).then(() => undefined, (error: unknown) => error)
  t.ok(refusal instanceof ImportError)
  t.equal((refusal as ImportError).lines.count, 7)
  t.match((refusal as ImportError).message, 'line 4: itemId')
  t.strictSame(await logged(), [])
  t.equal((await take('good.jsonl', jsonLines, { strict: true })).added, 2)
})

t.test('of very many bad lines all are counted and the first listed', async t => {
  const { bad } = await importing(t).import('events.jsonl', 'x\n'.repeat(12_000))
  t.equal(bad.count, 12_000)
  t.ok(bad.listed.length < 100)
  t.match(bad.toString(), `and ${12_000 - bad.listed.length} more`)
})

t.test('more than one batch arrives whole, and progress ends at the whole size', async t => {
  const progress: Array<[number, number]> = []
  const lines = Array.from({ length: 12_345 }, (_, i) => `${i % 97},item-${i % 501},${1_600_000_000 + i}`)
  for (const strict of [false, true]) {
    const { import: take, logged } = importing(t)
    progress.length = 0
    const { added } = await take('events.csv', `userId,itemId,sentAt\n${lines.join('\n')}`, { strict, onProgress: (read, total) => { progress.push([read, total]) } })
    t.equal(added, 12_345)
    t.equal((await logged()).length, 12_345)
    const [read, total] = progress.at(-1)!
    t.equal(read, total)
    t.ok(progress.every(([now], i) => i === 0 || now >= progress[i - 1]![0]))
  }
})

t.test('a broken compressed file is an error', async t => {
  const { import: take } = importing(t)
  await t.rejects(take('events.jsonl.gz', gzipSync(jsonLines).subarray(0, 40)), { message: /events\.jsonl\.gz.*gz file/ })
  await t.rejects(take('events.csv.gz', Buffer.from('not compressed')), { message: /events\.csv\.gz.*gz file/ })
})

t.test('a time too far away is a bad line and no failure of the whole', async t => {
  const { added, bad } = await importing(t).import('events.jsonl', '{"userId":"u","itemId":"a","sentAt":1700000000000000}\n{"userId":"u","itemId":"b","sentAt":1}\n')
  t.equal(added + bad.count, 2)
})

t.test('a row with too many fields is a bad line, and the rest is imported', async t => {
  const { import: take, logged } = importing(t)
  const { added, bad } = await take('events.csv', 'userId,itemId,sentAt\nu,a,1600000001\nu,b,1600000002,extra\nu,c\nu,d,1600000004\n')
  t.equal(added, 2)
  t.strictSame(bad.listed.map(({ line }) => line), [3, 4])
  t.strictSame((await logged()).map(({ itemId }) => itemId), ['a', 'd'])
})

t.test('an item inside properties is imported', async t => {
  const { import: take, logged } = importing(t)
  await take('nested.jsonl', '{"userId":"u","properties":"{\\"itemId\\":\\"593\\"}"}\n{"userId":"u","properties":{"itemId":12345678901234567890}}\n')
  const { bad } = await take('nested.csv', 'userId,properties\nu,"{""itemId"":""7""}"\nu,no JSON\n')
  t.equal(bad.count, 1)
  t.strictSame((await logged()).map(({ itemId }) => itemId).sort(), ['12345678901234567890', '593', '7'])
})
