import type { Test } from 'tap'
import { eventually } from './eventually.ts'
import { startRedis, type RedisServer } from './redis-server.ts'
import { freePort } from '../../bench/free-port.ts'

export interface RedisCluster {
  /** The URL of one node. */
  url: string
  /** The primaries, each with an equal part of the slots. */
  nodes: RedisServer[]
}

const slots = 16_384

/**
 * Starts a cluster of several shards on free ports. The cluster ends with the test.
 * @param more further arguments of each node
 */
export async function startRedisCluster (t: Test, shards = 3, more: () => Promise<string[]> = async () => []): Promise<RedisCluster> {
  const nodes: RedisServer[] = []
  const buses: string[] = []
  for (let i = 0; i < shards; i++) {
    const bus = String(await freePort())
    buses.push(bus)
    nodes.push(await startRedis(t, { more: ['--cluster-enabled', 'yes', '--cluster-port', bus, '--cluster-node-timeout', '2000', ...await more()] }))
  }
  for (const [i, { client, port }] of nodes.entries()) {
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1)
    await client.call('CLUSTER', 'ADDSLOTSRANGE', Math.ceil(slots * i / shards), Math.ceil(slots * (i + 1) / shards) - 1)
    if (i > 0) await nodes[0]!.client.call('CLUSTER', 'MEET', '127.0.0.1', port, buses[i]!)
  }
  for (const { client } of nodes) {
    await eventually('the cluster is whole', async () => {
      const info = await client.cluster('INFO')
      return /^cluster_state:ok/m.test(info) && info.includes(`cluster_size:${shards}`)
    }, 20_000)
  }
  return { url: nodes[0]!.url, nodes }
}

/** Moves an empty slot to another node of the cluster. */
export async function moveSlot ({ nodes }: RedisCluster, slot: number, to: RedisServer): Promise<void> {
  const id = await to.client.call('CLUSTER', 'MYID') as string
  await to.client.call('CLUSTER', 'SETSLOT', slot, 'NODE', id)
  await to.client.call('CLUSTER', 'BUMPEPOCH')
  for (const { client } of nodes) await client.call('CLUSTER', 'SETSLOT', slot, 'NODE', id)
}

/** Adds a replica of a node. When it resolves, the replica has all data of the node. */
export async function addReplica (t: Test, { nodes }: RedisCluster, primary: RedisServer): Promise<RedisServer> {
  const bus = String(await freePort())
  const replica = await startRedis(t, { more: ['--cluster-enabled', 'yes', '--cluster-port', bus, '--cluster-node-timeout', '2000', '--repl-diskless-sync-delay', '0'] })
  for (const { client } of nodes) await client.call('CLUSTER', 'MEET', '127.0.0.1', replica.port, bus)
  const id = await primary.client.call('CLUSTER', 'MYID') as string
  await eventually('it knows the primary', async () => replica.client.call('CLUSTER', 'REPLICATE', id).then(() => true, () => false), 10_000)
  await eventually('it is in step', async () => /^master_link_status:up/m.test(await replica.client.info('replication')), 20_000)
  return replica
}
