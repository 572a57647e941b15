import t from 'tap'
import { sendEvents, startGateway } from '../support/gateway.ts'

interface Ranking { personalizedRanking: Array<{ itemId: string }> }

const ids = ({ personalizedRanking }: Ranking): string[] => personalizedRanking.map(({ itemId }) => itemId)

t.test('the given items are ordered for the user, unknown ones last in their order', async t => {
  const { app } = await startGateway(t)
  for (const user of ['a', 'b', 'c']) await sendEvents(t, app, user, ['tent', 'stove'])
  await sendEvents(t, app, 'd', ['pen', 'book'])
  await sendEvents(t, app, 'me', ['tent'])
  const get = await app.inject('/rerank-items/store/ranking/me/zzz,pen,yyy,stove')
  t.equal(get.statusCode, 200)
  t.same(ids(get.json()), ['stove', 'pen', 'zzz', 'yyy'])
  t.equal(get.headers['cache-control'], 'private,max-age=10')

  const post = await app.inject({ method: 'POST', url: '/rerank-items/store/ranking/me', payload: ['zzz', 'pen', 'yyy', 'stove'] })
  t.same(ids(post.json()), ids(get.json()))
})

t.test('the answer to a POST is not to be stored', async t => {
  const { app } = await startGateway(t)
  const { headers } = await app.inject({ method: 'POST', url: '/rerank-items/store/ranking/me', payload: ['a'] })
  t.equal(headers['cache-control'], 'no-store')
})

t.test('a long list goes in the body, and an id may hold a comma there', async t => {
  const { app } = await startGateway(t)
  const payload = Array.from({ length: 500 }, (_, i) => `item,${i}`)
  const { statusCode, body } = await app.inject({ method: 'POST', url: '/rerank-items/store/ranking/me', payload })
  t.equal(statusCode, 200)
  t.same(ids(JSON.parse(body) as Ranking), payload)
})
