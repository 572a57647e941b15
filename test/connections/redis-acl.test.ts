import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { openRedisChannels } from '../../src/connections/redis-channels.ts'
import { openRedis } from '../../src/connections/redis-client.ts'
import { createRedisTally } from '../../src/experiments/tally/redis.ts'
import { mostLists, type Entry, type ServedList } from '../../src/experiments/tally/store.ts'
import { packagedFile } from '../../src/settings.ts'
import { dropLetters, listLetters, retryLetters } from '../../src/targets/queued/dead-letters.ts'
import { recordingTarget, testBody } from '../support/event-targets.ts'
import { eventually } from '../support/eventually.ts'
import { buildInstance, startCountingOrigin } from '../support/instances.ts'
import { openTarget } from '../support/open-target.ts'
import { drained, keys, lacking, startQueued } from '../support/queued.ts'
import { startRedisCluster } from '../support/redis-cluster.ts'
import { needsRedis, startRedis, type RedisServer } from '../support/redis-server.ts'

/** What docs/redis.md tells operators to give to the gateway's user. */
const [, rules = ''] = /^ACL SETUSER gateway (on .*)$/m.exec(readFileSync(packagedFile('docs/redis.md'), 'utf8')) ?? []

/** Gives the user of the documentation to servers. @returns the URL with that user */
async function withUser (url: string, ...servers: RedisServer[]): Promise<string> {
  for (const { client } of servers) await client.call('ACL', 'SETUSER', 'gateway', ...rules.split(' '))
  const [, password] = /(?:^| )>(\S+)/.exec(rules) ?? []
  return url.replace('//', `//gateway:${password}@`)
}

/** What Redis refused. */
async function refused (server: RedisServer): Promise<string[]> {
  return (await server.client.call('ACL', 'LOG') as unknown[][]).map(entry => entry.slice(0, 10).join(' '))
}

/** Uses everything of a queued target and of its dead letters, and a stream. */
async function useTargets (t: Test, url: string): Promise<void> {
  const inner = recordingTarget(async body => body.userId === 'bad' ? lacking(body, body.events.map(({ eventId }) => eventId), false) : undefined)
  const { target, errors } = await startQueued(t, url, inner, { goneAfter: 100 })
  const client = openRedis(url, { commandTimeout: 1_000, onProblem: error => { throw error } })
  t.teardown(() => { client.close() })
  await client.untilReady(5_000)
  const letters = async (count: number): Promise<void> => eventually('the dead letters are there', async () => (await listLetters(client.commands, keys, 10)).length === count)
  for (const id of ['a', 'b']) t.equal(await target.deliver(testBody([id], { userId: 'bad' })), undefined)
  await letters(2)
  t.equal(await retryLetters(client.commands, keys, { oldest: 1 }), 1)
  await eventually('it is given up again', () => inner.bodies.length === 3)
  await letters(2)
  t.equal(await dropLetters(client.commands, keys, { oldest: 10 }), 2)
  // One that was lost with something in hand has to be found.
  await client.commands.xadd(keys.waiting, '*', 'body', JSON.stringify(testBody(['lost'])))
  await client.commands.xreadgroup('GROUP', 'gateway', 'lost', 'STREAMS', keys.waiting, '>')
  await eventually('it is delivered', () => inner.eventIds.includes('lost'))
  const { target: stream } = await openTarget(t, { type: 'redis-stream', stream: 'shop-events' }, { redisUrl: url })
  t.equal(await stream.deliver(testBody(['c'])), undefined)
  t.strictSame(errors.filter(error => !/were given up/.test(String(error))), [])
}

async function useChannels (t: Test, url: string): Promise<void> {
  const client = openRedis(url, { commandTimeout: 1_000, onProblem: error => { throw error } })
  const channels = openRedisChannels({ client, own: 'personalization:{events}:a', shared: ['personalization:{events}'], onMessage () {}, onOpen () {}, onClose () {} })
  t.teardown(() => {
    channels.close()
    client.close()
  })
  await eventually('the channels are open', async () => channels.verify().then(() => true, () => false))
}

/** Counts a user of a blended list and of an experiment with a value, and reads everything that is counted. */
async function useTally (t: Test, url: string): Promise<void> {
  const client = openRedis(url, { commandTimeout: 1_000, onProblem: error => { throw error } })
  t.teardown(() => { client.close() })
  await client.untilReady(5_000)
  const store = createRedisTally({ run: async command => command(client.commands) })
  const list = (i: number): ServedList => ({ recommendationId: `list-${i}`, length: 2, teams: [['x'], ['y']] })
  const lists = Array.from({ length: mostLists + 1 }, (_, i): Entry => ({ kind: 'exposure', user: 'u', variation: i === 0 ? 'a' : 'b', list: list(i) }))
  const credit = (user: string, signed: boolean): Entry => ({ kind: 'credit', user, metric: 'm', value: 2.5, id: `${user}-${String(signed)}`, signed })
  await store.count({ id: 'e', attribution: 60_000 }, [...lists, credit('u', true), credit('u', false), credit('nobody', false)])
  t.match(await store.read('e'), { users: new Map([['a', 1]]), multiple: 1, unexposed: new Map([['m', 1]]) })
  t.equal((await store.lists('e', 'u')).length, mostLists)
}

t.test('the permissions that the documentation names are enough for all of the gateway', needsRedis, async t => {
  const redis = await startRedis(t)
  const url = await withUser(redis.url, redis)
  await useTally(t, url)
  await useTargets(t, url)
  await useChannels(t, url)
  const origin = await startCountingOrigin(t)
  const instances = [await buildInstance(t, origin, url), await buildInstance(t, origin, url)]
  await eventually('an answer is shared', async () => {
    const user = `user-${origin.calls}`
    await instances[0]!.read(user)
    return (await instances[1]!.read(user)).cacheStatus.startsWith('gateway-redis; hit')
  })
  t.equal(await instances[0]!.event('user'), 200)
  t.strictSame(await refused(redis), [])
  t.strictSame(await drained(redis.client), undefined)
})

t.test('they are enough in a cluster', needsRedis, async t => {
  const { url, nodes } = await startRedisCluster(t)
  const own = await withUser(url, ...nodes)
  await useTargets(t, own)
  await useChannels(t, own)
  t.strictSame(await Promise.all(nodes.map(refused)), [[], [], []])
})
