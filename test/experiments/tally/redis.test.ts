import t from 'tap'
import { createRedisTally } from '../../../src/experiments/tally/redis.ts'
import { tallyStoreContract } from '../../contracts/tally-store.ts'
import type { Counted } from '../../../src/experiments/tally/store.ts'
import { needsRedis, startRedis } from '../../support/redis-server.ts'

const of = (id: string): Counted => ({ id, attribution: 60_000 })

t.test('with Redis', needsRedis, async t => {
  const server = await startRedis(t)
  const store = createRedisTally({ run: async command => command(server.client) })
  t.test('a user\'s record expires with the attribution window, and the totals stay', async t => {
    await store.count(of('shop/home/expiry'), [{ kind: 'exposure', user: 'u', variation: 'a' }, { kind: 'credit', user: 'v', metric: 'm', value: 1, id: '1' }])
    const keys = await server.client.keys('personalization:experiment:{shop/home/expiry}*')
    const lives = await Promise.all(keys.map(async key => server.client.pttl(key)))
    t.equal(lives.filter(life => life > 0 && life <= 60_000).length, 2)
    t.equal(lives.filter(life => life === -1).length, 1)
  })
})

if (needsRedis.skip === undefined) {
  const shared = await startRedis(t)
  tallyStoreContract('Redis', async t => {
    await shared.client.flushall()
    t.teardown(async () => shared.client.flushall())
    return createRedisTally({ run: async command => command(shared.client) })
  })
}
