import t, { type Test } from 'tap'
import type { Catalog } from '../../src/metadata/catalog.ts'
import { itemMetadataTypes } from '../../src/metadata/registry.ts'
import type { ItemMetadataStore } from '../../src/metadata/store.ts'
import { createHolder } from '../../src/connections/scope.ts'
import { eventually } from '../support/eventually.ts'
import { testCatalog } from '../support/test-catalog.ts'
import type { LoadOutcome } from '../../src/metadata/store-type.ts'
import { testResources } from '../support/test-resources.ts'

export interface ItemMetadataContract {
  type: string
  /** The rest of the store's configuration. */
  config?: object
  /** Starts the services that the store needs, until the test ends. */
  start?: (t: Test) => Promise<unknown>
}

/** Tests the behaviour that the gateway requires of each item metadata store. */
export function itemMetadataContract ({ type, config: more = {}, start = async () => {} }: ItemMetadataContract): void {
  const config = { type, ...more }
  const kind = itemMetadataTypes.get(type)!
  const signal = new AbortController().signal

  async function stored (t: Test, items: Parameters<typeof testCatalog>[0]) {
    await start(t)
    const dataDir = t.testdir()
    const resources = testResources(dataDir)
    t.teardown(resources.close)
    const load = async (catalog: Catalog): Promise<LoadOutcome> => kind.load!(config, catalog, { dataDir, namespace: 'shop' })
    t.equal(await load(testCatalog(items)), new Map(Array.isArray(items) ? items : Object.entries(items)).size)
    const store = await kind.open(config, createHolder(resources).scopeOf('shop'))
    return { store, load, close: resources.close }
  }

  const get = async (store: ItemMetadataStore, ...ids: string[]): Promise<Record<string, unknown>> =>
    Object.fromEntries([...await store.get(ids, signal)].map(([id, text]) => [id, JSON.parse(text) as unknown]))

  t.test(`${type}: items are found by id, and missing ones are left out`, async t => {
    const { store } = await stored(t, { a: '{"title":"A","price":1.5,"tags":["x",""],"deep":{"list":[[],{}]}}', b: '{}' })
    t.strictSame(await get(store, 'a', 'missing', 'b'), { a: { title: 'A', price: 1.5, tags: ['x', ''], deep: { list: [[], {}] } }, b: {} })
    t.strictSame(await get(store, 'missing'), {})
  })

  t.test(`${type}: nothing is found where nothing is asked for`, async t => {
    const { store } = await stored(t, { a: '{}' })
    t.equal((await store.get([], signal)).size, 0)
  })

  t.test(`${type}: an item that is asked for twice is found once`, async t => {
    const { store } = await stored(t, { a: '{"v":1}', b: '{"v":2}' })
    t.strictSame(await get(store, 'a', 'b', 'a', 'a'), { a: { v: 1 }, b: { v: 2 } })
  })

  t.test(`${type}: ids that nothing can be stored under are just not found`, async t => {
    const { store } = await stored(t, { a: '{"v":1}' })
    t.strictSame(await get(store, 'a', '', 'x'.repeat(257), '\ud800', '__proto__', 'personalization-gateway:load'), { a: { v: 1 } })
  })

  t.test(`${type}: 500 items are found at once`, async t => {
    const ids = Array.from({ length: 500 }, (_, i) => `item-${i}`)
    const { store } = await stored(t, Object.fromEntries(ids.map((id, i) => [id, `{"n":${i}}`])))
    t.strictSame(await get(store, ...ids, 'missing'), Object.fromEntries(ids.map((id, n) => [id, { n }])))
  })

  t.test(`${type}: any Unicode arrives as it is, in ids, keys and values`, async t => {
    const text = 'naïve 漢字 🏔️ \u2028 \u0000 "\\'
    const id = '🧦'.repeat(128)
    const { store } = await stored(t, { [id]: JSON.stringify({ [text]: text }), ключ: '{"\\u00fc":"\\ud83e\\udde6"}' })
    t.strictSame(await get(store, id, 'ключ'), { [id]: { [text]: text }, ключ: { ü: '🧦' } })
  })

  t.test(`${type}: numbers keep digits that JavaScript would lose`, async t => {
    const numbers = ['0.1000000000000000055', '12345678901234567890', '-0.00000000000000000000000000000000000001', '99999999999999999999999999999999999999']
    const { store } = await stored(t, { a: `{"numbers":[${numbers.join(',')}]}` })
    t.equal((await store.get(['a'], signal)).get('a'), `{"numbers":[${numbers.join(',')}]}`)
  })

  t.test(`${type}: null, true and false are themselves`, async t => {
    const { store } = await stored(t, { a: '{"none":null,"yes":true,"no":false,"zero":0,"list":[null,true]}' })
    t.strictSame(await get(store, 'a'), { a: { none: null, yes: true, no: false, zero: 0, list: [null, true] } })
  })

  t.test(`${type}: keys called __proto__ and constructor are data`, async t => {
    const metadata = '{"__proto__":{"__proto__":1},"constructor":{"prototype":null}}'
    const { store } = await stored(t, { a: metadata, constructor: '{"v":1}' })
    const found = await store.get(['a', 'constructor'], signal)
    t.equal(found.get('a'), metadata)
    t.equal(found.get('constructor'), '{"v":1}')
    t.equal(({} as Record<string, unknown>)['prototype'], undefined)
  })

  t.test(`${type}: an item of 300 KB is one like any other`, async t => {
    const text = 'é'.repeat(150 * 1024)
    const { store } = await stored(t, { large: JSON.stringify({ text }), small: '{}' })
    t.strictSame(await get(store, 'large', 'small'), { large: { text }, small: {} })
  })

  t.test(`${type}: of two items with the same id the last one counts`, async t => {
    const others = Array.from({ length: 60 }, (_, i) => [`item-${i}`, '{}'] as const)
    const { store } = await stored(t, [['a', '{"v":1}'], ['a', '{"v":2}'], ...others, ['a', '{"v":3}']])
    t.strictSame(await get(store, 'a'), { a: { v: 3 } })
  })

  t.test(`${type}: a second load takes the place of the first, also in an open store`, async t => {
    const { store, load } = await stored(t, { kept: '{"v":1}', removed: '{"v":1}' })
    t.strictSame(await get(store, 'kept', 'removed'), { kept: { v: 1 }, removed: { v: 1 } })
    t.equal(await load(testCatalog({ kept: '{"v":2}', added: '{"v":2}' })), 2)
    await eventually('the removed item is gone', async () => !('removed' in await get(store, 'removed')))
    t.strictSame(await get(store, 'kept', 'removed', 'added'), { kept: { v: 2 }, added: { v: 2 } })
  })

  t.test(`${type}: a catalog that is older than the last one takes its place all the same`, async t => {
    const { store, load } = await stored(t, { a: '{"v":1}', b: '{}' })
    t.equal(await load(testCatalog({ a: '{"v":0}' }, { madeAt: 0 })), 1)
    await eventually('the older one is seen', async () => JSON.stringify(await get(store, 'a', 'b')) === '{"a":{"v":0}}')
  })

  t.test(`${type}: a catalog without items, or one that cannot be read, changes nothing`, async t => {
    const { store, load } = await stored(t, { a: '{"v":1}' })
    await t.rejects(load(testCatalog({})), { message: /no items/ })
    await t.rejects(load(testCatalog({}, { items: async function * () { throw new Error('gone') } })), { message: 'gone' })
    t.strictSame(await get(store, 'a'), { a: { v: 1 } })
    t.equal(await load(testCatalog({ a: '{"v":2}' })), 1, 'and the next one is loaded')
  })

  t.test(`${type}: a store closes with what is open`, async t => {
    const { store, close } = await stored(t, { a: '{}' })
    await store.get(['a'], signal)
    await t.resolves(close())
  })
}
