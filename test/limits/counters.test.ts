import type { Redis } from 'ioredis'
import t from 'tap'
import type { RedisLink } from '../../src/cache/redis-link.ts'
import { createCounters, redisExchange, type Added, type Exchange } from '../../src/limits/counters.ts'
import { parseRate, readRates } from '../../src/limits/rates.ts'
import { eventually } from '../support/eventually.ts'
import { needsRedis, startRedis } from '../support/redis-server.ts'

t.test('rate limit: rates are read by scope', async t => {
  t.strictSame(readRates('read:1000/1s,write:200/m'), { read: { max: 1000, window: 1000 }, write: { max: 200, window: 60_000 } })
  t.strictSame(parseRate('5/12h'), { max: 5, window: 12 * 3_600_000 })
  for (const text of ['', 'read', 'read:', 'read:0/s', 'read:1/0s', 'read:1', 'read:1/s,read:2/s', 'public:1/s', 'read:1/s;write:1/s', 'read:-1/s', 'read:1/s:2', 'read:1/s,']) t.equal(readRates(text), undefined, text)
})

t.test('rate limit: without Redis a process counts in windows of its own', async t => {
  let time = 0
  const counters = createCounters({ now: () => time, most: 3 })
  for (let i = 1; i <= 5; i++) t.strictSame(counters.add('a', 1000), { current: i, ttl: 1000 })
  time = 999
  t.strictSame(counters.add('a', 1000), { current: 6, ttl: 1 })
  time = 1000
  t.strictSame(counters.add('a', 1000), { current: 1, ttl: 1000 })
  for (const key of 'bcdefg') counters.add(key, 1000)
  t.equal(counters.size, 3, 'the number of counters is bounded')
})

/** Returns counters that processes share, as Redis keeps them, whose answers a test can hold back. */
function sharedCounters (): { exchange: Exchange, calls: Added[][], hang: (on: boolean) => void } {
  const counts = new Map<string, number>()
  const calls: Added[][] = []
  let hung = false
  return {
    calls,
    hang (on) { hung = on },
    async exchange (added) {
      calls.push([...added])
      if (hung) throw new Error('no answer')
      return added.map(({ key, count, window }) => {
        counts.set(key, (counts.get(key) ?? 0) + count)
        return { current: counts.get(key)!, ttl: window }
      })
    }
  }
}

t.test('rate limit: processes learn of the requests of each other, in few exchanges, and nobody waits', async t => {
  const { exchange, calls } = sharedCounters()
  const [one, other] = [createCounters({ now: () => 0, exchange }), createCounters({ now: () => 0, exchange })]
  for (let i = 0; i < 100; i++) one.add('a', 1000)
  await eventually('the requests are shared', () => calls.length === 1)
  t.strictSame(calls[0], [{ key: 'a', count: 100, window: 1000 }])
  t.equal(other.add('a', 1000).current, 1, 'it does not know yet, and does not wait')
  await eventually('it knows now', () => other.add('a', 1000).current > 100)
})

t.test('rate limit: while Redis is away a process counts for itself, and sends nothing twice afterwards', async t => {
  const { exchange, calls, hang } = sharedCounters()
  const counters = createCounters({ now: () => 0, exchange })
  hang(true)
  for (let i = 1; i <= 10; i++) t.equal(counters.add('a', 1000).current, i)
  await eventually('the exchange failed', () => calls.length === 1)
  await new Promise(resolve => { setImmediate(resolve) })
  hang(false)
  t.equal(counters.add('a', 1000).current, 11)
  await eventually('the next exchange', () => calls.length === 2)
  t.strictSame(calls[1], [{ key: 'a', count: 1, window: 1000 }])
})

t.test('rate limit: a shared counter that has lost its expiry gets one, and limits nobody for ever', needsRedis, async t => {
  const { client } = await startRedis(t)
  const exchange = redisExchange({ up: true, run: async <T>(command: (redis: Redis) => Promise<T>) => command(client) } as unknown as RedisLink)
  const added = [{ key: 'read  address', count: 2, window: 60_000 }]
  await exchange(added)
  const [name] = await client.keys('personalization:limit:*') as [string]
  await client.persist(name)
  t.strictSame(await exchange(added), [{ current: 4, ttl: 60_000 }])
  const ttl = await client.pttl(name)
  t.ok(ttl > 0 && ttl <= 60_000, `${ttl} ms`)
})
