import t from 'tap'
import { openRedis } from '../../src/connections/redis-client.ts'
import { eventually } from '../support/eventually.ts'
import { startRedisCluster } from '../support/redis-cluster.ts'
import { needsRedis } from '../support/redis-server.ts'

t.test('a closed client of a cluster leaves no handle open: no timer and no connection, also if it was reading the owners of slots', needsRedis, async t => {
  const { url } = await startRedisCluster(t, 2)
  const held = (): number => process.getActiveResourcesInfo().filter(type => type === 'Timeout' || type === 'TCPSocketWrap').length
  const before = held()
  for (let i = 0; i < 10; i++) {
    const client = openRedis(url, { commandTimeout: 500, slotsRefreshInterval: 2, onProblem: error => { throw error } })
    await eventually('it is a client of the cluster', () => client.ready && client.isCluster)
    for (let reads = 0; reads <= i; reads++) await client.commands.get(`key-${reads}`)
    client.close()
  }
  await eventually('nothing is left', () => held() <= before)
})
