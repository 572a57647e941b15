import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openCatalog } from '../../src/metadata/catalog.ts'
import { loadLocalDb } from '../../src/metadata/localdb/load.ts'
import { eventually } from '../support/eventually.ts'
import { sendEvents, startGateway } from '../support/gateway.ts'

interface ItemList { itemList: Array<{ itemId: string, score: number, reason?: string[], metadata?: object }> }

t.test('a user without a history gets what is popular, marked as such', async t => {
  const { app } = await startGateway(t)
  await sendEvents(t, app, 'a', ['tea', 'cup'])
  await sendEvents(t, app, 'b', ['tea'])
  const { statusCode, headers, body } = await app.inject('/recommend-items/store/for-you/nobody')
  t.equal(statusCode, 200)
  t.match(headers, {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'private,max-age=10',
    'x-personalization-config-version': '7',
    'x-personalization-variation': 'sessions'
  })
  const { itemList } = JSON.parse(body) as ItemList
  t.same(itemList.map(({ itemId }) => itemId), ['tea', 'cup'])
  t.same(itemList[0], { itemId: 'tea', score: 1, reason: ['popular'] })
})

t.test('an event changes the very next answer', async t => {
  const { app } = await startGateway(t)
  for (const user of ['a', 'b', 'c']) await sendEvents(t, app, user, ['tent', 'stove', 'lamp'])
  for (const user of ['d', 'e', 'f', 'g']) await sendEvents(t, app, user, ['book', 'pen'])
  const ask = async (): Promise<ItemList> => (await app.inject('/recommend-items/store/for-you/me?numResults=2')).json()
  const before = await ask()
  await sendEvents(t, app, 'me', ['tent'])
  const after = await ask()
  t.same(before.itemList.map(({ itemId }) => itemId).sort(), ['book', 'pen'], 'what most people like')
  t.same(after.itemList.map(({ itemId }) => itemId).sort(), ['lamp', 'stove'])
})

t.test('numResults bounds the list, and never is an item seen in it', async t => {
  const { app } = await startGateway(t)
  const items = Array.from({ length: 40 }, (_, i) => `item-${i}`)
  for (const user of ['a', 'b']) await sendEvents(t, app, user, items)
  const list = async (query: string): Promise<string[]> => ((await app.inject(`/recommend-items/store/for-you/me${query}`)).json<ItemList>()).itemList.map(({ itemId }) => itemId)
  t.equal((await list('')).length, 25, 'the default')
  t.equal((await list('?numResults=3')).length, 3)
  await sendEvents(t, app, 'me', ['item-1', 'item-2'])
  const unseen = await list('?numResults=500')
  t.equal(unseen.length, 38)
  t.notOk(unseen.includes('item-1') || unseen.includes('item-2'))
})

t.test('items carry their metadata unless the caller wants none', async t => {
  const { app, dataDir } = await startGateway(t)
  const file = join(dataDir, 'items.jsonl')
  writeFileSync(file, '{"id":"tea","name":"Grüner Tee","price":4.5}\n')
  await loadLocalDb(await openCatalog(file), { dataDir, namespace: 'store' })
  await sendEvents(t, app, 'a', ['tea', 'cup'])
  const ask = async (query: string): Promise<ItemList> => (await app.inject(`/recommend-items/store/for-you/nobody${query}`)).json()
  await eventually('the import is taken over', async () => (await ask('')).itemList.some(({ metadata }) => metadata !== undefined))
  t.same((await ask('')).itemList.find(({ itemId }) => itemId === 'tea')!.metadata, { name: 'Grüner Tee', price: 4.5 })
  t.notOk((await ask('')).itemList.find(({ itemId }) => itemId === 'cup')!.metadata, 'an item without metadata stays, undecorated')
  for (const no of ['0', 'no', 'false', 'nonsense']) t.notMatch(await ask(`?decorateItems=${no}`), { itemList: [{ metadata: Object }, {}] }, no)
  for (const yes of ['1', 'YES', 'true']) t.match((await ask(`?decorateItems=${yes}`)).itemList.find(({ itemId }) => itemId === 'tea'), { metadata: Object }, yes)
})

t.test('downstream caches are told by what is known of the user', async t => {
  const { app } = await startGateway(t)
  const cacheControl = async (url: string): Promise<unknown> => (await app.inject(url)).headers['cache-control']
  t.equal(await cacheControl('/recommend-items/store/for-you/me'), 'private,max-age=10')
  t.equal(await cacheControl('/recommend-items/store/for-you/me?syntheticUser=yes'), 'public,max-age=300')
  t.equal(await cacheControl('/related-items/store/similar/tea'), 'public,max-age=1200')
  t.equal(await cacheControl('/related-items/store/similar/tea?userId=me'), 'private,max-age=10')
})
