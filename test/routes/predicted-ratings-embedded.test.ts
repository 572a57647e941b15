import t from 'tap'
import { sendEvents, startGateway, storeConfig } from '../support/gateway.ts'

const { store } = storeConfig.namespaces
const config = {
  namespaces: { store: { ...store, recommenders: { ...store.recommenders, 'predicted-ratings': { ratings: { variations: { sessions: { type: 'embedded' } } } } } } }
}

t.test('the embedded recommender rates from 1 to 5, in the order asked, and an unknown item not at all', async t => {
  const { app } = await startGateway(t, config)
  for (const user of ['a', 'b', 'c']) await sendEvents(t, app, user, ['tent', 'stove'])
  await sendEvents(t, app, 'd', ['pen', 'book'])
  await sendEvents(t, app, 'me', ['tent'])
  const { statusCode, body } = await app.inject('/predicted-ratings/store/ratings/me?items=pen,stove,nothing,stove')
  t.equal(statusCode, 200)
  const [pen, stove, nothing, again] = (JSON.parse(body) as { ratings: Array<number | null> }).ratings
  t.equal(pen, 1)
  t.ok(stove! > 1 && stove! <= 5)
  t.equal(nothing, null)
  t.equal(again, stove)
})

t.test('of an unknown user, popularity rates', async t => {
  const { app } = await startGateway(t, config)
  await sendEvents(t, app, 'a', ['tent', 'pen'])
  await sendEvents(t, app, 'b', ['tent'])
  const { ratings } = (await app.inject('/predicted-ratings/store/ratings/nobody?items=tent,pen')).json<{ ratings: number[] }>()
  t.equal(ratings[0], 5)
  t.ok(ratings[1]! > 1 && ratings[1]! < 5)
})

t.test('no items, an empty one, too many: refused by name', async t => {
  const { app } = await startGateway(t, config)
  const url = '/predicted-ratings/store/ratings/me'
  for (const query of ['', '?items=', '?items=a,,b', `?items=${'a,'.repeat(500)}a`]) {
    t.match((await app.inject(url + query)).json(), { code: 'InvalidParameter', message: /^items: / }, query.slice(0, 20))
  }
})
