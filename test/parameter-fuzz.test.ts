import t from 'tap'
import { fuzz } from '../bench/fuzz-run.ts'
import { startGateway, storeConfig } from './support/gateway.ts'
import { seededRandom } from './support/seeded-random.ts'

const { store } = storeConfig.namespaces
const ratings = { 'predicted-ratings': { ratings: { variations: { sessions: { type: 'embedded' } } } } }
const config = { ...storeConfig, namespaces: { store: { ...store, recommenders: { ...store.recommenders, ...ratings } } } }

const requests = 3_000
const seed = 1

t.test(`fuzz of every parameter of every route, seed ${seed}: no server error, nothing taken that the OpenAPI document excludes, nothing refused that it allows`, async t => {
  const adminKey = 'the-admin-key-of-the-fuzz'
  const { app } = await startGateway(t, config, { adminKey })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const names = { namespace: ['store'], recommender: ['for-you', 'similar', 'ranking', 'ratings'] }
  const { statuses, wrong } = await fuzz({ url, document: app.openapi(), requests, random: seededRandom(seed).next, adminKey, names })
  t.comment(Object.fromEntries(statuses))
  t.strictSame(wrong.slice(0, 10), [])
  for (const expected of ['allowed: 200', 'excluded: 400']) t.ok((statuses.get(expected) ?? 0) > requests / 10, expected)
})
