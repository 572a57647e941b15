import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { freePort } from '../../bench/free-port.ts'
import { packagedFile } from '../../src/settings.ts'
import { eventually } from '../support/eventually.ts'
import { startGateway, storeConfig } from '../support/gateway.ts'
import { startRedisCluster } from '../support/redis-cluster.ts'
import { needsRedis, startRedis } from '../support/redis-server.ts'

const directory = packagedFile('test/support/tls')
const serveTls = (port: number): string[] => [
  '--tls-port', String(port), '--tls-auth-clients', 'no',
  '--tls-cert-file', join(directory, 'localhost.pem'), '--tls-key-file', join(directory, 'localhost.key'), '--tls-ca-cert-file', join(directory, 'ca.pem')
]

/** A gateway that cannot reach its Redis: its log, and the word in `/health/ready`. */
async function startWith (t: Test, redisUrl: string): Promise<{ log: () => string, problem: () => Promise<string | undefined>, state: () => Promise<string> }> {
  const lines: string[] = []
  const { store } = storeConfig.namespaces
  const config = { ...storeConfig, namespaces: { store: { ...store, eventTargets: [{ type: 'embedded' }, { type: 'redis-stream', stream: 'shop' }] } } }
  const { app } = await startGateway(t, config, { redisUrl, logger: pino({}, { write: line => { lines.push(line) } }) })
  const redis = async (): Promise<{ problem?: string, state: string }> => {
    const { body } = await app.inject('/health/ready')
    return (JSON.parse(body) as { redis: { problem?: string, state: string } }).redis
  }
  return { log: () => lines.join(''), problem: async () => (await redis()).problem, state: async () => (await redis()).state }
}

/** Asserts that the log and the probe name the cause, and that neither has words of the client's library. */
async function names (t: Test, redisUrl: string, word: string, inLog: RegExp = new RegExp(word)): Promise<void> {
  const { log, problem } = await startWith(t, redisUrl)
  await eventually(`/health/ready names ${word}`, async () => await problem() === word, 10_000)
  await eventually('the log names it', () => /Redis does not answer; the gateway goes on without/.test(log()) && inLog.test(log()), 10_000)
  t.notMatch(log(), /enableOfflineQueue|Please report this/)
  t.notMatch(log(), /wr0ng/)
}

t.test('ENOTFOUND is named', async t => names(t, 'redis://no-such-host.invalid:6379', 'ENOTFOUND'))

t.test('ECONNREFUSED is named', async t => names(t, `redis://127.0.0.1:${await freePort()}`, 'ECONNREFUSED'))

t.test('NOAUTH and WRONGPASS are named', needsRedis, async t => {
  const redis = await startRedis(t)
  await redis.client.config('SET', 'requirepass', 'right')
  await names(t, redis.url, 'NOAUTH')
  await names(t, redis.url.replace('//', '//:wr0ng@'), 'WRONGPASS')
  await names(t, redis.url.replace('//', '//nobody:wr0ng@'), 'WRONGPASS')
})

t.test('TLS is named where the URL has it and the server does not, and the reverse', needsRedis, async t => {
  const port = await freePort()
  const redis = await startRedis(t, { more: serveTls(port) })
  await names(t, redis.url.replace('redis://', 'rediss://'), 'TLS', /the server does not speak TLS; expected redis:\/\/ in REDIS_URL/)
  await names(t, `redis://127.0.0.1:${port}`, 'TLS', /the server speaks TLS; expected rediss:\/\/ in REDIS_URL/)
})

t.test('a certificate that is not trusted is named', needsRedis, async t => {
  const port = await freePort()
  await startRedis(t, { more: serveTls(port) })
  await names(t, `rediss://localhost:${port}`, 'SELF_SIGNED_CERT_IN_CHAIN', /self-signed certificate in certificate chain/)
})

/** Starts a server that is no Redis. @returns its URL, as if it were one */
async function startOther (t: Test, serve: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket.on('error', () => {}))
    serve(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `redis://127.0.0.1:${(server.address() as AddressInfo).port}`
}

t.test('a server that says nothing, or speaks another protocol, is named', async t => {
  await names(t, await startOther(t, () => {}), 'ETIMEDOUT', /accepts connections, but does not answer/)
  await names(t, await startOther(t, socket => { socket.on('data', () => { socket.end('HTTP/1.1 400 Bad Request\r\n\r\n') }) }), 'EPROTO', /does not speak the protocol of Redis/)
})

t.test('a Redis, or a cluster, that goes away is named, and no longer once it is back', needsRedis, async t => {
  const redis = await startRedis(t)
  const { nodes, url } = await startRedisCluster(t)
  for (const [address, servers] of [[redis.url, [redis]], [url, nodes]] as const) {
    const { log, problem, state } = await startWith(t, address)
    await eventually('it is linked', async () => await state() === 'leased', 10_000)
    for (const server of servers) await server.kill()
    await eventually('the probe names it', async () => await problem() === 'ECONNREFUSED', 10_000)
    await eventually('the log has it', () => /Redis does not answer/.test(log()))
    t.notMatch(log(), /enableOfflineQueue|Connection is closed/)
    if (servers.length > 1) continue
    await redis.restart()
    await eventually('it is back', async () => await state() === 'leased' && await problem() === undefined, 10_000)
  }
})
