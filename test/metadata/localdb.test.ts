import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { generations } from '../../src/metadata/localdb/generations.ts'
import { localDbDirectory } from '../../src/metadata/localdb/files.ts'
import { openItems } from '../../src/metadata/localdb/items.ts'
import { localdb } from '../../src/metadata/localdb/localdb.ts'
import { openLocalDb, type LocalDb } from '../../src/metadata/localdb/open.ts'
import type { ItemMetadataStore } from '../../src/metadata/store.ts'
import type { Handler } from '../../src/connections/peers.ts'
import { createHolder } from '../../src/connections/scope.ts'
import { eventually } from '../support/eventually.ts'
import { testResources } from '../support/test-resources.ts'

const signal = new AbortController().signal

async function publish (directory: string, items: Record<string, object>): Promise<void> {
  await generations(directory).replace(async path => {
    const database = openItems(path, { writable: true })
    for (const [id, metadata] of Object.entries(items)) await database.put(id, JSON.stringify(metadata))
    await database.close()
    return { digest: JSON.stringify(items).replaceAll(/[^a-z0-9]/g, '') }
  })
}

async function openStore (t: Test, directory: string): Promise<{ store: LocalDb, errors: unknown[] }> {
  const errors: unknown[] = []
  const store = await openLocalDb(directory, { onError: error => errors.push(error), poll: 5 })
  t.teardown(store.close)
  return { store, errors }
}

const get = async (store: ItemMetadataStore, ...ids: string[]): Promise<Record<string, string>> => Object.fromEntries(await store.get(ids, signal))

t.test('items are found by id as they were written, missing ones are left out', async t => {
  const directory = t.testdir()
  await publish(directory, { a: { title: 'A' }, ü: { title: 'Ü\u2028🧦' } })
  const { store } = await openStore(t, directory)
  t.strictSame(await get(store, 'a', 'missing', 'ü'), { a: '{"title":"A"}', ü: '{"title":"Ü\u2028🧦"}' })
  t.strictSame(await get(store), {})
})

t.test('before the first import nothing is found, after it the items are', async t => {
  const directory = join(t.testdir(), 'items', 'shop')
  const { store, errors } = await openStore(t, directory)
  t.strictSame(await get(store, 'a'), {})
  await publish(directory, { a: { v: 1 } })
  await eventually('the import is seen', async () => (await get(store, 'a'))['a'] === '{"v":1}')
  t.strictSame(errors, [])
})

t.test('an open store follows imports and drops what they dropped', async t => {
  const directory = t.testdir()
  await publish(directory, { a: { v: 0 }, old: {} })
  const { store, errors } = await openStore(t, directory)
  for (let v = 1; v <= 5; v++) {
    await publish(directory, { a: { v } })
    await eventually(`import ${v} is seen`, async () => (await get(store, 'a'))['a'] === `{"v":${v}}`)
    t.strictSame(await get(store, 'old'), {})
  }
  t.strictSame(errors, [])
})

t.test('a generation that cannot be opened is told, and the old one goes on until the next', async t => {
  const directory = t.testdir()
  await publish(directory, { a: {} })
  const { store, errors } = await openStore(t, directory)
  mkdirSync(join(directory, 'generation-broken'))
  writeFileSync(join(directory, 'CURRENT'), 'generation-broken')
  await eventually('the failure is told', () => errors.length > 0)
  t.strictSame(await get(store, 'a'), { a: '{}' })
  await publish(directory, { a: { mended: true } })
  await eventually('the next good one takes over', async () => (await get(store, 'a'))['a'] === '{"mended":true}')
})

t.test('one store serves all variations of a namespace', async t => {
  const dataDir = t.testdir()
  await publish(localDbDirectory(dataDir, 'shop'), { a: {} })
  const resources = testResources(dataDir)
  t.teardown(resources.close)
  const { scopeOf, release } = createHolder(resources)
  const open = async (namespace: string): Promise<ItemMetadataStore> => localdb.open({ type: 'localdb' }, scopeOf(namespace))
  const [one, same, other] = [await open('shop'), await open('shop'), await open('else')]
  t.equal(one, same)
  t.not(one, other)
  t.strictSame(await get(one, 'a'), { a: '{}' })
  t.equal(resources.held, 3)
  release()
  t.equal(resources.held, 0)
})

t.test('an item that was put is found at once, by who opens the items next, and by other processes', async t => {
  const directory = t.testdir()
  await publish(directory, { a: { v: 1 }, b: { v: 1 } })
  const { store, errors } = await openStore(t, directory)
  await store.put([{ itemId: 'a', metadata: '{"v": 2.0}' }, { itemId: 'ü', metadata: '{}' }])
  t.strictSame(await get(store, 'a', 'b', 'ü'), { a: '{"v": 2.0}', b: '{"v":1}', ü: '{}' })
  await store.put([{ itemId: 'b', metadata: '{"v":3}' }])
  t.strictSame(await get(store, 'b'), { b: '{"v":3}' })
  const current = await generations(directory).current()
  const read = 'const { open } = require("lmdb"); const items = open({ path: process.argv[1], encoding: "string", readOnly: true }); console.log(items.get("a"), items.get("b"))'
  t.equal(execFileSync(process.execPath, ['-e', read, current!], { encoding: 'utf8' }), '{"v": 2.0} {"v":3}\n')
  await store.close()
  const { store: next } = await openStore(t, directory)
  t.strictSame(await get(next, 'a', 'b'), { a: '{"v": 2.0}', b: '{"v":3}' })
  t.strictSame(errors, [])
})

t.test('when another worker has put items, a store looks again at once, and answers when it finds them', async t => {
  const directory = join(t.testdir(), 'items', 'shop')
  const handlers: Handler[] = []
  const topics: string[] = []
  const tell = async (topic: string): Promise<unknown[]> => {
    topics.push(topic)
    t.strictSame(await get(store, 'own'), { own: '{}' }, 'the others are told when the items can be found')
    return []
  }
  const peers = { tell, on: (_topic: string, handle: Handler) => { handlers.push(handle); return () => { handlers.splice(0) } } }
  const store = await openLocalDb(directory, { onError: error => t.error(error), poll: 3_600_000, peers, topic: 'shop' })
  t.teardown(store.close)
  t.strictSame(await get(store, 'a'), {})
  await publish(directory, { a: { v: 1 } })
  await handlers[0]!(null as never)
  t.strictSame(await get(store, 'a'), { a: '{"v":1}' }, 'another made the first generation')
  const write = 'const { open } = require("lmdb"); open({ path: process.argv[1], encoding: "string" }).putSync("a", "{}")'
  execFileSync(process.execPath, ['-e', write, (await generations(directory).current())!])
  await handlers[0]!(null as never)
  t.strictSame(await get(store, 'a'), { a: '{}' }, 'another has put an item')
  await store.put([{ itemId: 'own', metadata: '{}' }])
  t.strictSame(topics, ['shop'])
  await store.close()
  t.strictSame(handlers, [], 'a closed store does not listen')
})

t.test('the first put makes the items, and an import replaces what was put', async t => {
  const directory = join(t.testdir(), 'items', 'shop')
  const { store, errors } = await openStore(t, directory)
  await Promise.all([store.put([{ itemId: 'a', metadata: '{}' }]), store.put([{ itemId: 'b', metadata: '{}' }])])
  t.strictSame(await get(store, 'a', 'b'), { a: '{}', b: '{}' })
  await publish(directory, { a: { imported: true } })
  await store.put([{ itemId: 'c', metadata: '{}' }])
  t.strictSame(await get(store, 'a', 'b', 'c'), { a: '{"imported":true}', c: '{}' })
  t.strictSame(errors, [])
})

t.test('items are found while others are put and imports take over', async t => {
  const directory = t.testdir()
  await publish(directory, { a: { v: 0 } })
  const { store, errors } = await openStore(t, directory)
  const over = new AbortController()
  let [asked, found] = [0, 0]
  const asking = (async () => {
    while (!over.signal.aborted) {
      asked++
      found += (await store.get(['a'], signal)).size
      await new Promise(resolve => setImmediate(resolve))
    }
  })()
  for (let v = 1; v <= 10; v++) {
    await Promise.all([publish(directory, { a: { v } }), store.put([{ itemId: 'b', metadata: '{}' }]), store.put([{ itemId: 'c', metadata: '{}' }])])
    await store.put([{ itemId: 'last', metadata: String(v) }])
    t.strictSame(await get(store, 'a', 'last'), { a: `{"v":${v}}`, last: String(v) })
  }
  over.abort()
  await asking
  t.equal(found, asked)
  t.strictSame(errors, [])
})
