import t from 'tap'
import { sendEvents, startGateway } from '../support/gateway.ts'

interface ItemList { itemList: Array<{ itemId: string }> }

t.test('items like an item are those met together with it, not those everybody meets', async t => {
  const { app } = await startGateway(t)
  for (const user of ['a', 'b', 'c', 'd']) await sendEvents(t, app, user, ['tent', 'stove', 'bag'])
  for (let i = 0; i < 30; i++) await sendEvents(t, app, `other-${i}`, ['bag', 'pen'])
  const { itemList } = (await app.inject('/related-items/store/similar/tent')).json<ItemList>()
  t.equal(itemList[0]!.itemId, 'stove')
  t.notOk(itemList.some(({ itemId }) => itemId === 'tent'), 'never the item itself')
})

t.test('with a user given, what that user has seen is left out', async t => {
  const { app } = await startGateway(t)
  for (const user of ['a', 'b']) await sendEvents(t, app, user, ['tent', 'stove', 'lamp'])
  await sendEvents(t, app, 'me', ['stove'])
  const { itemList } = (await app.inject('/related-items/store/similar/tent?userId=me')).json<ItemList>()
  t.same(itemList.map(({ itemId }) => itemId), ['lamp'])
})

t.test('an item nobody knows gets what is popular', async t => {
  const { app } = await startGateway(t)
  await sendEvents(t, app, 'a', ['tent'])
  const { itemList } = (await app.inject('/related-items/store/similar/unknown')).json<ItemList>()
  t.match(itemList, [{ itemId: 'tent', reason: ['popular'] }])
})
