import t, { type Test } from 'tap'
import { openRedisChannels, type RedisChannels } from '../../src/connections/redis-channels.ts'
import { openRedis } from '../../src/connections/redis-client.ts'
import { eventually } from '../support/eventually.ts'
import { addReplica, moveSlot, startRedisCluster } from '../support/redis-cluster.ts'
import { startRedisProxy } from '../support/redis-proxy.ts'
import { needsRedis, startRedis } from '../support/redis-server.ts'

const shared = 'personalization:{events}'

interface Instance {
  channels: RedisChannels
  heard: string[]
  changes: string[]
}

/** Channels of an instance. They end with the test. */
function open (t: Test, url: string, name: string): Instance {
  const heard: string[] = []
  const changes: string[] = []
  const client = openRedis(url, { commandTimeout: 500, onProblem: error => { throw error } })
  const channels = openRedisChannels({
    client,
    own: `${shared}:${name}`,
    shared: [shared],
    longestSilence: 300,
    onMessage (channel, message) { heard.push(`${channel} ${message}`) },
    onOpen () { changes.push('open') },
    onClose () { changes.push('close') }
  })
  t.teardown(() => {
    channels.close()
    client.close()
  })
  return { channels, heard, changes }
}

async function allOpen (instances: Instance[]): Promise<void> {
  await eventually('all listen', async () => (await Promise.all(instances.map(async ({ channels }) => channels.verify().then(() => true, () => false)))).every(Boolean), 10_000)
}

for (const kind of ['one server', 'a cluster', 'a cluster of one node'] as const) {
  t.test(`on ${kind}, all hear all in one order, and it is known how many heard`, needsRedis, async t => {
    const { url } = kind === 'a cluster' ? await startRedisCluster(t) : await startRedis(t, { cluster: kind !== 'one server' })
    const instances = ['a', 'b', 'c'].map(name => open(t, url, name))
    await allOpen(instances)
    const counts = await Promise.all(Array.from({ length: 300 }, async (_, i) => instances[i % 3]!.channels.publish(shared, String(i))))
    t.strictSame([...new Set(counts)], [3])
    t.equal(await instances[0]!.channels.publish(`${shared}:b`, 'for b'), 1)
    await Promise.all(instances.map(async ({ channels }) => channels.verify()))
    const [a, b, c] = instances.map(({ heard }) => heard.filter(message => !message.endsWith('for b')))
    t.equal(a!.length, 300)
    t.strictSame(b, a)
    t.strictSame(c, a)
    t.equal(instances[1]!.heard.at(-1), `${shared}:b for b`)
    for (const { changes } of instances) t.strictSame(changes, ['open'])
  })
}

t.test('they follow their slot to another node, and the owner is told', needsRedis, async t => {
  const cluster = await startRedisCluster(t)
  const instances = ['a', 'b'].map(name => open(t, cluster.url, name))
  await allOpen(instances)
  const slot = await cluster.nodes[0]!.client.cluster('KEYSLOT', shared)
  for (const node of cluster.nodes) {
    await moveSlot(cluster, slot, node)
    await allOpen(instances)
    await eventually('both hear', async () => await instances[0]!.channels.publish(shared, 'moved') === 2)
  }
  for (const { changes } of instances) {
    t.ok(changes.includes('close'))
    t.equal(changes.at(-1), 'open')
  }
})

t.test('they and all commands follow a failover of the node that owns their slot, whether its connections stay open or not', needsRedis, async t => {
  const cluster = await startRedisCluster(t)
  const slot = await cluster.nodes[0]!.client.cluster('KEYSLOT', shared)
  const owner = cluster.nodes[Math.floor(slot * 3 / 16_384)]!
  const replica = await addReplica(t, cluster, owner)
  const instances = ['a', 'b'].map(name => open(t, cluster.url, name))
  await allOpen(instances)
  await replica.client.call('CLUSTER', 'FAILOVER')
  await eventually('it leads', async () => /^role:master/m.test(await replica.client.info('replication')), 10_000)
  await allOpen(instances)
  await eventually('both hear', async () => await instances[0]!.channels.publish(shared, 'after the failover') === 2, 40_000)
  t.equal(await replica.client.spublish(shared, 'at the new primary'), 2)
  await eventually('the old primary follows', async () => /^master_link_status:up/m.test(await owner.client.info('replication')), 10_000)
  await replica.kill()
  await eventually('the old primary leads again', async () => /^role:master/m.test(await owner.client.info('replication')), 20_000)
  await allOpen(instances)
  await eventually('both hear again', async () => await instances[0]!.channels.publish(shared, 'after the loss') === 2)
})

t.test('channels at a server that commands do not reach any more are opened at the other', needsRedis, async t => {
  const [before, after] = [await startRedis(t), await startRedis(t)]
  const proxy = await startRedisProxy(t, before.port)
  const instance = open(t, proxy.url, 'a')
  await allOpen([instance])
  proxy.lead(after.port)
  const commandsOnly = (await before.client.client('LIST') as string).split('\n').filter(line => / sub=0 .*cmd=(?:publish|info)/.test(line))
  for (const line of commandsOnly) await before.client.client('KILL', 'ID', /^id=(\d+)/.exec(line)![1]!)
  await t.rejects(instance.channels.verify())
  await allOpen([instance])
  t.equal(await after.client.publish(shared, 'here'), 1)
  await eventually('it is heard', () => instance.heard.includes(`${shared} here`))
})

t.test('a connection that leads nowhere is made anew', needsRedis, async t => {
  const redis = await startRedis(t)
  const proxy = await startRedisProxy(t, redis.port)
  const instance = open(t, proxy.url, 'a')
  await allOpen([instance])
  proxy.stall()
  await t.rejects(instance.channels.verify())
  proxy.mend()
  await allOpen([instance])
})
