import t from 'tap'
import { createLedger } from '../../src/events/ledger.ts'
import { openRedis, type RedisCommands } from '../../src/connections/redis-client.ts'
import { dropLetters, listLetters, retryLetters } from '../../src/targets/queued/dead-letters.ts'
import { bodiesOf } from '../support/event-bodies.ts'
import { recordingTarget, testBody } from '../support/event-targets.ts'
import { eventually } from '../support/eventually.ts'
import { openTarget } from '../support/open-target.ts'
import { keys, lacking, startQueued } from '../support/queued.ts'
import { startRedisCluster } from '../support/redis-cluster.ts'
import { needsRedis } from '../support/redis-server.ts'

t.test('on a cluster of three shards, streams get all records, wherever their slots are', needsRedis, async t => {
  const { url } = await startRedisCluster(t)
  const client = openRedis(url, { commandTimeout: 1_000, onProblem: error => { throw error } })
  t.teardown(() => { client.close() })
  await client.untilReady(5_000)
  for (const stream of ['first', 'second', 'third', 'fourth']) {
    const { target } = await openTarget(t, { type: 'redis-stream', stream }, { redisUrl: url })
    const outcomes = await Promise.all(bodiesOf(500, 1).map(async body => target.deliver(body)))
    t.strictSame([...new Set(outcomes)], [undefined])
    t.equal(await client.commands.xlen(stream), 500)
  }
})

t.test('on a cluster of three shards, what is queued arrives, and what is given up can be looked after', needsRedis, async t => {
  const { url } = await startRedisCluster(t)
  const client = openRedis(url, { commandTimeout: 1_000, onProblem: error => { throw error } })
  t.teardown(() => { client.close() })
  await client.untilReady(5_000)
  const drained = async (): Promise<void> => eventually('nothing waits', async () => await client.commands.xlen(keys.waiting) === 0, 15_000)
  let refuses = true
  const inners = [1, 2].map(() => recordingTarget(async body => refuses && body.userId === 'bad' ? lacking(body, body.events.map(({ eventId }) => eventId), false) : undefined))
  const [one, other] = await Promise.all(inners.map(async inner => startQueued(t, url, inner)))
  const ids = Array.from({ length: 400 }, (_, i) => `e${i}`)
  t.strictSame(await Promise.all(ids.map(async (id, i) => [one, other][i % 2]!.target.deliver(testBody([id], { userId: id })))), ids.map(() => undefined))
  for (const id of ['b', 'c']) await one!.target.deliver(testBody([id], { userId: 'bad' }))
  await drained()
  t.strictSame(inners.flatMap(({ eventIds }) => eventIds).sort(), [...ids, 'b', 'c'].sort(), 'each once')
  t.equal((await listLetters(client.commands, keys, 10)).length, 2)
  refuses = false
  t.equal(await retryLetters(client.commands, keys, { oldest: 1 }), 1)
  await drained()
  t.equal(await dropLetters(client.commands, keys, { oldest: 10 }), 1)
  t.strictSame([...one!.errors, ...other!.errors].filter(error => !/were given up/.test(String(error))), [])
})

t.test('on a cluster of three shards, the ledger knows the events of all namespaces', needsRedis, async t => {
  const { url } = await startRedisCluster(t)
  const client = openRedis(url, { commandTimeout: 1_000, onProblem: error => { throw error } })
  t.teardown(() => { client.close() })
  await client.untilReady(5_000)
  const redis = { up: true, run: async <T>(command: (redis: RedisCommands) => Promise<T>) => command(client.commands) }
  const open = () => createLedger({ now: Date.now, redis, onError: error => { throw error } })
  const [one, other] = [open(), open()]
  for (const namespace of ['shop', 'store', 'market', 'bazaar']) {
    const events = new Map(Array.from({ length: 500 }, (_, i) => [`event-${i}`, new Set(['a', 'b'])]))
    await one.remember(namespace, events, ['a', 'b'])
    t.equal((await other.recall(namespace, [...events.keys()], ['a', 'b'])).size, 500)
  }
})
