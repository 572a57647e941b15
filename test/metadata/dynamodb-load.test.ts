import { PutItemCommand, ScanCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import t, { type Test } from 'tap'
import type { Catalog } from '../../src/metadata/catalog.ts'
import { loadDynamoDb } from '../../src/metadata/dynamodb/load.ts'
import { lockId } from '../../src/metadata/dynamodb/lock.ts'
import type { LoadTimes } from '../../src/metadata/dynamodb/table.ts'
import { refusal, startDynamo, writesOf, type Call, type TestDynamo } from '../support/dynalite.ts'
import { eventually } from '../support/eventually.ts'
import type { LoadOutcome } from '../../src/metadata/store-type.ts'
import { testCatalog } from '../support/test-catalog.ts'

const table = 'PersonalizationApiItemMetadata_shop'
const day = Date.UTC(2026, 10, 21, 10)
const many = (count: number, v: number): Record<string, string> => Object.fromEntries(Array.from({ length: count }, (_, i) => [`item-${i}`, `{"v":${v}}`]))
const load = async (catalog: Catalog, times: Partial<LoadTimes> = {}): Promise<LoadOutcome> => loadDynamoDb({}, catalog, 'shop', { backoff: { base: 1, cap: 5 }, ...times })

/** The `v` of all items, in the order of their ids. */
async function values ({ client }: TestDynamo): Promise<Record<string, string>> {
  const { Items = [] } = await client.send(new ScanCommand({ TableName: table }))
  const entries = Items.filter(item => item['attributes'] !== undefined).map(({ id, attributes }) => [id!.S!, attributes!.M!['v']?.N ?? ''] as const)
  return Object.fromEntries(entries.sort())
}

async function withItems (t: Test, items: Record<string, string>): Promise<TestDynamo> {
  const dynamo = await startDynamo(t)
  await load(testCatalog(items))
  dynamo.calls.length = 0
  return dynamo
}

async function giveLockTo ({ client }: TestDynamo, owner: string): Promise<void> {
  await client.send(new UpdateItemCommand({ TableName: table, Key: { id: { S: lockId } }, UpdateExpression: 'SET #owner = :owner', ExpressionAttributeNames: { '#owner': 'owner' }, ExpressionAttributeValues: { ':owner': { S: owner } } }))
}

/** A promise, and what resolves it. */
function gate (): { open: () => void, opened: Promise<void> } {
  let open = (): void => {}
  const opened = new Promise<void>(resolve => { open = resolve })
  return { open, opened }
}

t.test('an item has the shape that the sample gives it', async t => {
  const { item } = await startDynamo(t)
  t.equal(await load(testCatalog({ a: '{"title":"A","price":1.50}' }, { tag: '"etag"', madeAt: day })), 1)
  t.strictSame(JSON.parse(JSON.stringify(await item(table, 'a'))), {
    id: { S: 'a' },
    version: { S: '2026-11-21T10:00:00.000' },
    put_via: { S: 'bulk' },
    attributes: { M: { title: { S: 'A' }, price: { N: '1.5' } } }
  })
  t.match(await item(table, lockId), { put_via: { S: 'gateway' }, tag: { S: '"etag"' }, version: { S: '2026-11-21T10:00:00.000' }, complete: { BOOL: true } })
})

t.test('25 items go out with a call, large ones fewer, and each once', async t => {
  const { callsOf } = await withItems(t, { a: '{}' })
  const text = 'x'.repeat(390 * 1024)
  t.equal(await load(testCatalog({ ...many(60, 1), ...Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`large-${i}`, JSON.stringify({ text })])) })), 72)
  const sizes = callsOf('BatchWriteItem').map(body => writesOf(body, table).length)
  t.equal(sizes.reduce((sum, size) => sum + size, 0), 72)
  t.ok(Math.max(...sizes) <= 25)
  for (const call of callsOf('BatchWriteItem')) t.ok(JSON.stringify(call).length < 5 * 1024 * 1024)
})

t.test('what was loaded last is not loaded again, and is when another was loaded between', async t => {
  const { callsOf } = await startDynamo(t)
  const [one, other] = [testCatalog({ a: '{"v":1}', b: '{}' }), testCatalog({ a: '{"v":2}' })]
  t.equal(await load(one), 2)
  const before = callsOf('BatchWriteItem').length
  t.equal(await load(one), 'loaded')
  t.equal(callsOf('BatchWriteItem').length, before)
  t.equal(await load(other), 1)
  t.equal(await load(other), 'loaded')
  t.equal(await load(one), 2)
})

t.test('of two that load at once one does it, and the other has nothing to do', async t => {
  const dynamo = await withItems(t, { a: '{"v":0}' })
  const { items, ...catalog } = testCatalog(many(60, 1))
  const { open, opened } = gate()
  const slow = { ...catalog, items: async function * () { await opened; yield * items() } }
  const first = load(slow)
  await eventually('the first has the lock', () => dynamo.callsOf('UpdateItem').length > 0)
  t.equal(await load(testCatalog(many(3, 2))), 'busy', 'also where it has another catalog')
  t.equal(await load(slow), 'busy')
  open()
  t.equal(await first, 60)
  t.strictSame(await values(dynamo), Object.fromEntries(Object.keys(many(60, 1)).sort().map(id => [id, '1'])))
})

t.test('of eight instances that start at once on an empty account one loads', async t => {
  const dynamo = await startDynamo(t)
  const catalog = testCatalog(many(100, 1))
  const counts = await Promise.all(Array.from({ length: 8 }, async () => load(catalog)))
  t.strictSame(counts.filter(count => typeof count === 'number'), [100])
  t.equal(dynamo.callsOf('BatchWriteItem').length, 4)
})

t.test('a catalog with bad items is refused whole: they are named, and nothing is written', async t => {
  const dynamo = await withItems(t, { a: '{"v":1}' })
  const bad = {
    b: '{"v":2}',
    digits: `{"n":1.${'1'.repeat(40)}}`,
    range: '{"n":1e400}',
    large: JSON.stringify({ text: 'x'.repeat(400 * 1024) }),
    deep: `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`,
    half: '{"a":"\\ud83e"}',
    [lockId]: '{}'
  }
  const error = await load(testCatalog(bad)).then(() => undefined, (error: unknown) => error as Error)
  t.match(error?.message, /nothing was imported/)
  for (const id of Object.keys(bad).slice(1)) t.ok(error?.message.includes(`item ${JSON.stringify(id)} `), id)
  t.notOk(error?.message.includes('"b"'))
  t.equal(dynamo.callsOf('BatchWriteItem').length, 0)
  t.strictSame(await values(dynamo), { a: '1' })
  t.equal(await load(testCatalog({ a: '{"v":3}' })), 1, 'and the next one is loaded')
})

t.test('of many bad items the first twenty are named and the others counted', async t => {
  await startDynamo(t)
  const bad = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`bad-${i}`, '{"n":1e999}']))
  await t.rejects(load(testCatalog(bad)), { message: /"bad-19"[^]*and 30 more$/ })
})

t.test('items that DynamoDB leaves undone, and calls that it refuses for their rate, are tried again', async t => {
  const dynamo = await withItems(t, { a: '{"v":0}' })
  let calls = 0
  dynamo.intercept(async ({ operation, body }, pass) => {
    if (++calls % 3 === 0) return refusal('ThrottlingException')
    if (calls % 7 === 0) return refusal('InternalServerError', 500)
    if (operation !== 'BatchWriteItem') return pass()
    const [first, ...later] = writesOf(body, table)
    const { status } = await pass({ RequestItems: { [table]: [first, ...later.slice(0, 12)] } })
    const rest = later.slice(12)
    return { status, body: { UnprocessedItems: rest.length === 0 ? {} : { [table]: rest } } }
  })
  t.equal(await load(testCatalog(many(200, 1))), 200)
  dynamo.intercept(undefined)
  t.strictSame(Object.values(await values(dynamo)), Array.from({ length: 200 }, () => '1'))
})

t.test('an item whose earlier writing takes long is not written again before that is done', async t => {
  const dynamo = await startDynamo(t)
  let first = true
  dynamo.intercept(async ({ operation, body }, pass) => {
    if (operation !== 'BatchWriteItem' || !first) return pass()
    first = false
    return { status: 200, body: { UnprocessedItems: body['RequestItems'] } }
  })
  const others = Object.entries(many(60, 1))
  t.equal(await load(testCatalog([['a', '{"v":1}'], ...others, ['a', '{"v":2}']]), { backoff: { base: 200, cap: 200 } }), 61)
  t.equal((await values(dynamo))['a'], '2')
})

t.test('a load that gets nowhere ends, and gives the lock back', async t => {
  const dynamo = await withItems(t, { a: '{"v":0}', old: '{}' })
  dynamo.intercept(async ({ operation, body }, pass) => operation === 'BatchWriteItem' ? { status: 200, body: { UnprocessedItems: body['RequestItems'] } } : pass())
  await t.rejects(load(testCatalog({ a: '{"v":1}' }), { stall: 50 }), { message: /taken no items.* for 0.05 s/ })
  dynamo.intercept(async ({ operation }, pass) => operation === 'BatchWriteItem' ? refusal('ThrottlingException') : pass())
  await t.rejects(load(testCatalog({ a: '{"v":1}' }), { stall: 50 }), { message: /taken no items/, cause: { name: 'ThrottlingException' } })
  dynamo.intercept(undefined)
  t.strictSame(await values(dynamo), { a: '0', old: '' }, 'what is old stays')
  t.equal(await load(testCatalog({ a: '{"v":2}' })), 1)
})

t.test('what DynamoDB refuses for good ends a load at once', async t => {
  const dynamo = await withItems(t, { a: '{"v":0}', old: '{}' })
  for (const refused of ['BatchWriteItem', 'Scan', 'DeleteItem']) {
    dynamo.intercept(async ({ operation }, pass) => operation === refused ? refusal('AccessDeniedException') : pass())
    await t.rejects(load(testCatalog({ a: '{"v":1}' })), { name: 'AccessDeniedException' }, refused)
    dynamo.intercept(undefined)
    t.ok('old' in await values(dynamo))
  }
  t.equal(await load(testCatalog({ a: '{"v":2}' })), 1)
  t.strictSame(await values(dynamo), { a: '2' })
})

t.test('a load that ends in the middle leaves all items readable, and the same catalog completes it', async t => {
  const dynamo = await withItems(t, { ...many(100, 1), old: '{"v":1}' })
  const { items, ...catalog } = testCatalog(many(200, 2))
  let reads = 0
  const broken = async function * () {
    const second = ++reads === 2
    for await (const batch of items()) {
      yield batch
      if (second) throw new Error('the disk is gone')
    }
  }
  await t.rejects(load({ ...catalog, items: broken }), { message: 'the disk is gone' })
  const between = await values(dynamo)
  t.ok(Object.values(between).includes('2'), 'some are new')
  t.equal(between['old'], '1', 'none is removed')
  for (const id of Object.keys(many(100, 1))) t.ok(id in between)
  t.equal(dynamo.callsOf('DeleteItem').length, 0)
  t.equal(await load({ ...catalog, items }), 200)
  t.strictSame(Object.values(await values(dynamo)), Array.from({ length: 200 }, () => '2'))
})

t.test('where an instance was killed while loading, others load when its lock has run out', async t => {
  const dynamo = await withItems(t, { a: '{"v":1}', old: '{"v":1}' })
  const catalog = testCatalog({ a: '{"v":2}' })
  // A killed process does not give its lock back; this one cannot.
  let writing = false
  dynamo.intercept(async ({ operation }, pass) => {
    writing ||= operation === 'BatchWriteItem'
    return writing ? refusal('AccessDeniedException') : pass()
  })
  await t.rejects(load(catalog))
  dynamo.intercept(undefined)
  t.strictSame(await values(dynamo), { a: '1', old: '1' })
  t.equal(await load(catalog), 'busy', 'it may still live')
  await dynamo.client.send(new UpdateItemCommand({ TableName: table, Key: { id: { S: lockId } }, UpdateExpression: 'SET expires = :past', ExpressionAttributeValues: { ':past': { N: String(Date.now() - 1) } } }))
  t.equal(await load(catalog), 1)
  t.strictSame(await values(dynamo), { a: '2' })
})

t.test('a lock from the future, left from before a clock was stepped back, has run out', async t => {
  const dynamo = await withItems(t, { a: '{"v":1}' })
  const catalog = testCatalog({ a: '{"v":2}' })
  await giveLockTo(dynamo, 'killed')
  const expire = async (at: number): Promise<unknown> => dynamo.client.send(new UpdateItemCommand({ TableName: table, Key: { id: { S: lockId } }, UpdateExpression: 'SET expires = :at', ExpressionAttributeValues: { ':at': { N: String(at) } } }))
  await expire(Date.now() + 60_000)
  t.equal(await load(catalog), 'busy')
  await expire(Date.now() + 24 * 3_600_000)
  t.equal(await load(catalog), 1)
  t.strictSame(await values(dynamo), { a: '2' })
})

t.test('after a load that ended in the middle, the catalog before it is loaded again', async t => {
  const dynamo = await startDynamo(t)
  const [before, broken] = [testCatalog({ a: '{"v":1}', b: '{"v":1}' }), testCatalog({ a: '{"v":2}' })]
  await load(before)
  dynamo.intercept(async ({ operation }, pass) => operation === 'Scan' ? refusal('AccessDeniedException') : pass())
  await t.rejects(load(broken))
  dynamo.intercept(undefined)
  t.strictSame(await values(dynamo), { a: '2', b: '1' })
  t.equal(await load(before), 2)
  t.strictSame(await values(dynamo), { a: '1', b: '1' })
})

t.test('the lock is renewed while a load lasts', async t => {
  const dynamo = await withItems(t, { a: '{}' })
  const { items, ...catalog } = testCatalog({ a: '{"v":1}' })
  const { open, opened } = gate()
  const loading = load({ ...catalog, items: async function * () { await opened; yield * items() } }, { heartbeat: 5, deadAfter: 60_000 })
  const expires = async (): Promise<number> => Number((await dynamo.item(table, lockId))?.['expires']?.N ?? 0)
  await eventually('the lock is taken', async () => await expires() > 0)
  const taken = await expires()
  await eventually('it is renewed', async () => await expires() > taken)
  open()
  t.equal(await loading, 1)
  t.equal(await expires(), 0, 'and given back')
})

t.test('a load that has lost its lock writes and removes no more', async t => {
  const dynamo = await withItems(t, { a: '{"v":0}', old: '{"v":0}' })
  const { items, ...catalog } = testCatalog({ a: '{"v":1}' })
  const { open, opened } = gate()
  let reads = 0
  const gated = async function * () {
    if (++reads === 2) await opened
    yield * items()
  }
  const loading = load({ ...catalog, items: gated }, { heartbeat: 5 })
  loading.catch(() => {})
  await eventually('it is about to write', () => reads === 2)
  let refused = 0
  dynamo.intercept(async (_call, pass) => {
    const reply = await pass()
    if (JSON.stringify(reply.body).includes('ConditionalCheckFailed')) refused++
    return reply
  })
  await giveLockTo(dynamo, 'other')
  // It has heard the first refusal once it has sent what got the third.
  await eventually('it has been told', () => refused >= 3)
  open()
  await t.rejects(loading, { message: /lost its lock/ })
  t.strictSame(await values(dynamo), { a: '0', old: '0' })
  t.equal((await dynamo.item(table, lockId))?.['owner']?.S, 'other', 'the other one keeps it')
})

/** Whether a call is the one that a load ends with. */
const isFinish = ({ body }: Call): boolean => String(body['UpdateExpression']).startsWith('SET #complete = :yes')

t.test('where the answer to its last call is lost, a load has succeeded all the same', async t => {
  const dynamo = await withItems(t, { a: '{"v":0}' })
  const catalog = testCatalog({ a: '{"v":1}' })
  let finishes = 0
  dynamo.intercept(async (call, pass) => {
    const reply = await pass()
    return isFinish(call) && ++finishes === 1 ? refusal('InternalServerError', 500) : reply
  })
  t.equal(await load(catalog), 1)
  t.equal(finishes, 2)
  t.equal(await load(catalog), 'loaded')
  t.strictSame(await values(dynamo), { a: '1' })
})

t.test('a load that loses its lock at the very end has not succeeded', async t => {
  const dynamo = await withItems(t, { a: '{"v":0}' })
  const catalog = testCatalog({ a: '{"v":1}' })
  dynamo.intercept(async (call, pass) => {
    if (!isFinish(call)) return pass()
    await giveLockTo(dynamo, 'other')
    return pass()
  })
  await t.rejects(load(catalog), { message: /lost its lock/ })
  t.match(await dynamo.item(table, lockId), { owner: { S: 'other' }, complete: { BOOL: false } })
})

t.test('a lock that could not be renewed in time is lost', async t => {
  const dynamo = await withItems(t, { old: '{"v":0}' })
  const { items, ...catalog } = testCatalog({ a: '{"v":1}' })
  dynamo.intercept(async ({ body }, pass) => body['UpdateExpression'] === 'SET #expires = :expires' ? refusal('InternalServerError', 500) : pass())
  const late = async function * () {
    const end = performance.now() + 30
    await eventually('the lock has run out', () => performance.now() > end)
    yield * items()
  }
  await t.rejects(load({ ...catalog, items: late }, { heartbeat: 5, deadAfter: 20 }), { message: /lost its lock/ })
  t.strictSame(await values(dynamo), { old: '0' })
})

t.test('only what loads have put there is removed', async t => {
  const dynamo = await withItems(t, { old: '{"v":1}' })
  for (const [id, by, version] of [['theirs', 'api', '2020-01-01T00:00:00.000'], ['newer', 'bulk', '2999-01-01T00:00:00.000'], ['older', 'bulk', '2020-01-01T00:00:00.000']] as const) {
    await dynamo.client.send(new PutItemCommand({ TableName: table, Item: { id: { S: id }, version: { S: version }, put_via: { S: by }, attributes: { M: {} } } }))
  }
  t.equal(await load(testCatalog({ a: '{"v":2}' })), 1)
  t.strictSame(Object.keys(await values(dynamo)), ['a', 'newer', 'theirs'])
})

t.test('an item that is written anew while old ones are removed stays', async t => {
  const dynamo = await withItems(t, { old: '{"v":1}' })
  dynamo.intercept(async ({ operation }, pass) => {
    if (operation === 'DeleteItem') {
      dynamo.intercept(undefined)
      await dynamo.client.send(new PutItemCommand({ TableName: table, Item: { id: { S: 'old' }, put_via: { S: 'api' }, attributes: { M: { v: { N: '9' } } } } }))
    }
    return pass()
  })
  t.equal(await load(testCatalog({ a: '{"v":2}' })), 1)
  t.strictSame(await values(dynamo), { a: '2', old: '9' })
})

t.test('a scan of many pages removes all that is old and counts all that is new', async t => {
  const text = 'x'.repeat(300 * 1024)
  const large = (prefix: string): Record<string, string> => Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`${prefix}-${i}`, JSON.stringify({ text })]))
  const dynamo = await withItems(t, large('old'))
  t.equal(await load(testCatalog(large('new'))), 12)
  t.ok(dynamo.callsOf('Scan').length > 4)
  t.equal(dynamo.callsOf('DeleteItem').length, 12)
})

t.test('catalogs that were made in the same millisecond are told from each other', async t => {
  const dynamo = await startDynamo(t)
  t.equal(await load(testCatalog({ a: '{"v":1}', b: '{"v":1}' }, { madeAt: day })), 2)
  t.equal(await load(testCatalog({ a: '{"v":2}' }, { madeAt: day })), 1)
  t.strictSame(await values(dynamo), { a: '2' })
  t.equal((await dynamo.item(table, 'a'))?.['version']?.S, '2026-11-21T10:00:00.001')
})
