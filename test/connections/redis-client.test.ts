import t, { type Test } from 'tap'
import { openRedis, type RedisClient, type RedisClientOptions } from '../../src/connections/redis-client.ts'
import { eventually } from '../support/eventually.ts'
import { moveSlot, startRedisCluster } from '../support/redis-cluster.ts'
import { startRedisProxy } from '../support/redis-proxy.ts'
import { needsRedis, startRedis } from '../support/redis-server.ts'

interface Opened {
  client: RedisClient
  problems: string[]
}

/** A client that ends with the test. */
function open (t: Test, url: string, more: Partial<RedisClientOptions> = {}): Opened {
  const problems: string[] = []
  const client = openRedis(url, { commandTimeout: 1_000, onProblem: problem => { problems.push(problem.message) }, ...more })
  t.teardown(() => { client.close() })
  return { client, problems }
}

t.test('it is opened before Redis is there, and commands fail at once until it is', needsRedis, async t => {
  const redis = await startRedis(t, { started: false })
  const { client, problems } = open(t, redis.url)
  t.equal(await client.untilReady(50), false)
  const from = performance.now()
  await t.rejects(client.commands.get('a'))
  t.ok(performance.now() - from < 500)
  await redis.restart()
  t.equal(await client.untilReady(5_000), true)
  t.equal(client.isCluster, false)
  await client.commands.set('a', '1')
  t.strictSame(problems, [])
})

t.test('a server that answers nothing any more is left', needsRedis, async t => {
  const redis = await startRedis(t)
  const proxy = await startRedisProxy(t, redis.port)
  const { client } = open(t, proxy.url, { commandTimeout: 200 })
  await client.untilReady(5_000)
  const other = await startRedis(t)
  let closings = 0
  client.on('close', () => { closings++ })
  proxy.lead(other.port)
  redis.pause()
  t.teardown(() => redis.resume())
  await t.rejects(client.commands.set('a', '1'), /timed out/)
  await eventually('it takes commands', async () => client.commands.set('a', '1').then(() => true, () => false), 3_000)
  t.ok(closings > 0, 'its owner was told')
  t.equal(await other.client.get('a'), '1')
})

t.test('of three shards each gets its keys, also after a slot has moved and a node was away', needsRedis, async t => {
  const cluster = await startRedisCluster(t)
  const { client, problems } = open(t, cluster.url)
  t.equal(await client.untilReady(5_000), true)
  t.equal(client.isCluster, true)
  const keys = Array.from({ length: 100 }, (_, i) => `key-${i}`)
  await Promise.all(keys.map(async key => client.commands.set(key, key)))
  const sizes = await Promise.all(cluster.nodes.map(async ({ client }) => client.dbsize()))
  t.equal(sizes.reduce((sum, size) => sum + size), 100)
  t.ok(sizes.every(size => size > 10), sizes.join())
  const moving = '{moving}'
  const slot = await cluster.nodes[0]!.client.cluster('KEYSLOT', moving)
  for (const node of cluster.nodes) {
    await moveSlot(cluster, slot, node)
    await client.commands.set(moving, node.port)
    t.equal(await node.client.get(moving), String(node.port), 'where the slot is now')
    await client.commands.del(moving)
  }
  const [first] = cluster.nodes
  await first!.restart()
  await eventually('all keys can be set again', async () => Promise.all(keys.map(async key => client.commands.set(key, 'again'))).then(() => true, () => false), 10_000)
  t.strictSame(problems, [])
})

t.test('where nobody may ask whether it is a cluster, a redirected command says so', needsRedis, async t => {
  const cluster = await startRedisCluster(t)
  for (const { client } of cluster.nodes) await client.call('ACL', 'SETUSER', 'gateway', 'on', '>secret', '~*', '&*', '+@all', '-info', '-cluster|info')
  const { client, problems } = open(t, cluster.url.replace('//', '//gateway:secret@'))
  t.equal(await client.untilReady(5_000), true)
  t.equal(client.isCluster, false)
  await eventually('all keys can be set', async () => Promise.all(Array.from({ length: 20 }, async (_, i) => client.commands.set(`key-${i}`, ''))).then(() => true, () => false))
  t.equal(client.isCluster, true)
  t.strictSame(problems, [
    'Redis refuses INFO: its user lacks the permission "+info" (see docs/redis.md)',
    'Redis refuses CLUSTER: its user lacks the permission "+cluster|info" (see docs/redis.md)'
  ])
})

t.test('a cluster has only one database', needsRedis, async t => {
  const cluster = await startRedisCluster(t)
  const { client, problems } = open(t, `${cluster.url}/2`)
  t.equal(await client.untilReady(5_000), true)
  await client.commands.set('a', '1')
  t.strictSame(problems, ['REDIS_URL names database 2, but the server is a cluster, which has only database 0; the gateway uses that'])
})

t.test('a permission that is missing is named, once for all who tell the same', needsRedis, async t => {
  const redis = await startRedis(t)
  await redis.client.call('ACL', 'SETUSER', 'gate:way', 'on', '>p@ss/word', '~personalization:*', '+get', '+set', '+publish', '+xgroup', '+multi', '+exec')
  const problems: string[] = []
  const onProblem = ({ message }: Error): void => { problems.push(message) }
  const url = redis.url.replace('//', '//gate%3Away:p%40ss%2Fword@')
  const [one, other] = [open(t, url, { onProblem }).client, open(t, url, { onProblem }).client]
  for (const { commands, untilReady } of [one, other, one]) {
    t.equal(await untilReady(5_000), true, 'it goes on without')
    await t.rejects(commands.xadd('personalization:a', '*', 'a', 'b'), /NOPERM/)
    await t.rejects(commands.get('other'), /NOPERM/)
    await t.rejects(commands.publish('personalization:events', ''), /NOPERM/)
    await t.rejects(commands.multi().set('personalization:a', '').del('personalization:a').exec(), /EXECABORT/)
    await commands.set('personalization:a', '1')
  }
  t.strictSame(problems.sort(), [
    'Redis refuses CLUSTER: its user lacks the permission "+cluster|info" (see docs/redis.md)',
    'Redis refuses DEL: its user lacks the permission "+del" (see docs/redis.md)',
    'Redis refuses GET: its user lacks the permission "~other" for keys (see docs/redis.md)',
    'Redis refuses INFO: its user lacks the permission "+info" (see docs/redis.md)',
    'Redis refuses PUBLISH: its user lacks the permission "&personalization:*" for channels (see docs/redis.md)',
    'Redis refuses XADD: its user lacks the permission "+xadd" (see docs/redis.md)'
  ])
})

t.test('a wrong password is told once, and never itself', needsRedis, async t => {
  const redis = await startRedis(t)
  await redis.client.config('SET', 'requirepass', 'right')
  const { client, problems } = open(t, redis.url.replace('//', '//:wrong-password@'))
  const { client: none, problems: other } = open(t, redis.url)
  // Each tries several times meanwhile.
  t.strictSame(await Promise.all([client.untilReady(500), none.untilReady(500)]), [false, false])
  t.equal(problems.length, 1)
  t.match(problems[0], /^Redis does not accept the user and the password in REDIS_URL: WRONGPASS /)
  t.equal(other.length, 1)
  t.match(other[0], /NOAUTH/)
  t.notMatch([...problems, ...other].join(), /wrong-password|right/)
})
