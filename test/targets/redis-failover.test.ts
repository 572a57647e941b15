import t, { type Test } from 'tap'
import { recordingTarget, testBody } from '../support/event-targets.ts'
import { eventually } from '../support/eventually.ts'
import { openTarget } from '../support/open-target.ts'
import { startQueued } from '../support/queued.ts'
import { startRedisProxy, type RedisProxy } from '../support/redis-proxy.ts'
import { needsRedis, startRedis, type RedisServer } from '../support/redis-server.ts'
import type { EventTarget } from '../../src/targets/target.ts'

// The tests mostly wait for processes and timeouts of their own.
t.jobs = 4

/** Two servers behind one address that leads to A, of which B is the replica. */
async function startPair (t: Test): Promise<{ a: RedisServer, b: RedisServer, proxy: RedisProxy }> {
  const slowToLoad = ['--key-load-delay', '1000', '--loading-process-events-interval-bytes', '1024', '--rdbcompression', 'no']
  const a = await startRedis(t, { more: slowToLoad })
  const b = await startRedis(t, { more: ['--replicaof', `127.0.0.1 ${a.port}`, '--repl-diskless-sync-delay', '0'] })
  await eventually('B is in step', async () => /^master_link_status:up/m.test(await b.client.info('replication')), 20_000)
  return { a, b, proxy: await startRedisProxy(t, a.port) }
}

/** B leads and A follows it; nothing is lost between them. */
async function swap (a: RedisServer, b: RedisServer): Promise<void> {
  await a.client.call('FAILOVER', 'TO', '127.0.0.1', b.port)
  await eventually('B leads', async () => /^role:master/m.test(await b.client.info('replication')) && /^role:slave/m.test(await a.client.info('replication')), 10_000)
}

/** Sends one event after the other until it is told to stop, each when a server that stays has answered, so that failures are no storm. */
function sendAll (target: EventTarget, { client }: RedisServer): { sent: Array<{ id: string, at: number, taken: boolean }>, stop: () => Promise<void> } {
  const stopping = new AbortController()
  const sent: Array<{ id: string, at: number, taken: boolean }> = []
  async function send (): Promise<void> {
    for (let i = 0; !stopping.signal.aborted; i++) {
      const id = `event-${i}`
      const taken = await target.deliver(testBody([id], { userId: id })) === undefined
      sent.push({ id, at: performance.now(), taken })
      await client.ping()
    }
  }
  const sending = send()
  return { sent, async stop () { stopping.abort(); await sending } }
}

const ways = {
  async 'a failover with the old connections kept open' (a, b, proxy) {
    await swap(a, b)
    proxy.lead(b.port)
  },
  async 'a failover to a new address while the old one loads' (a, b, proxy) {
    await swap(a, b)
    // Its history is another one now, so that it has to load all that B has.
    await a.client.multi().call('REPLICAOF', 'NO', 'ONE').call('REPLICAOF', '127.0.0.1', String(b.port)).exec()
    await eventually('A loads', async () => a.client.ping().then(() => false, error => /LOADING/.test(String(error))), 10_000)
    proxy.lead(b.port)
  }
} satisfies Record<string, (a: RedisServer, b: RedisServer, proxy: RedisProxy) => Promise<void>>

const targets = {
  async 'redis-stream' (t: Test, url: string) {
    const { target } = await openTarget(t, { type: 'redis-stream', stream: 'shop' }, { redisUrl: url })
    return { target, arrived: async ({ client }: RedisServer) => (await client.xrange('shop', '-', '+')).map(([, [, text]]) => (JSON.parse(text!) as { body: { eventList: Array<{ eventId: string }> } }).body.eventList[0]!.eventId) }
  },
  async queued (t: Test, url: string) {
    const inner = recordingTarget()
    const { target } = await startQueued(t, url, inner)
    return { target, arrived: async () => inner.eventIds }
  }
}

for (const [way, fail] of Object.entries(ways)) {
  for (const [type, open] of Object.entries(targets)) {
    t.test(`${type}: after ${way}, events are taken again within 3 s, and none is lost`, { ...needsRedis, timeout: 60_000 }, async t => {
      const { a, b, proxy } = await startPair(t)
      const filler = a.client.pipeline()
      for (let i = 0; i < 5_000; i++) filler.set(`filler-${i}`, 'x'.repeat(256))
      await filler.exec()
      const { target, arrived } = await open(t, proxy.url)
      const { sent, stop } = sendAll(target, b)
      await eventually('events are taken', () => sent.length > 20)
      await fail(a, b, proxy)
      const leads = performance.now()
      await eventually('events are taken again', () => sent.some(({ at, taken }) => taken && at > leads), 10_000)
      const again = sent.find(({ at, taken }) => taken && at > leads)!.at
      t.ok(again - leads < 3_000, `${Math.round(again - leads)} ms after`)
      const count = sent.length
      await eventually('many more are', () => sent.length > count + 50, 10_000)
      await stop()
      t.strictSame(sent.filter(({ at, taken }) => !taken && at > leads + 3_000), [], 'none is reported as failed any more')
      const taken = sent.filter(({ taken }) => taken).map(({ id }) => id)
      await eventually('each that was taken is there', async () => {
        const there = new Set(await arrived(b))
        return taken.every(id => there.has(id))
      })
      t.comment(`${sent.length - taken.length} of ${sent.length} were reported as failed`)
    })
  }
}
