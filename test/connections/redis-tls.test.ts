import { join } from 'node:path'
import t from 'tap'
import { freePort } from '../../bench/free-port.ts'
import { packagedFile } from '../../src/settings.ts'
import { startRedisCluster } from '../support/redis-cluster.ts'
import { needsRedis, startRedis } from '../support/redis-server.ts'
import { finished, run } from '../support/server-process.ts'

/** An authority that nobody else knows, and a certificate of it for `localhost`. They are good for nothing else. */
const directory = packagedFile('test/support/tls')
const authority = join(directory, 'ca.pem')
const serve = (port: number): string[] => [
  '--tls-port', String(port), '--tls-auth-clients', 'no',
  '--tls-cert-file', join(directory, 'localhost.pem'), '--tls-key-file', join(directory, 'localhost.key'), '--tls-ca-cert-file', authority
]

/** Runs a command of the gateway that asks Redis for something. */
const list = async (url: string, environment: Record<string, string> = {}): Promise<{ code: number | null, output: string }> =>
  finished(run('cli.js', ['events', 'dead-letters', 'list', '--namespace', 'shop', '--target', 'webhook'], { REDIS_URL: url, ...environment }))

t.test('rediss:// speaks TLS, and the certificate has to be for the name in the URL', needsRedis, async t => {
  const port = await freePort()
  const { client } = await startRedis(t, { more: serve(port) })
  await client.config('SET', 'requirepass', 'p@ss:word')
  t.strictSame(await list(`rediss://:p%40ss%3Aword@localhost:${port}/2`, { NODE_EXTRA_CA_CERTS: authority }), { code: 0, output: '0 dead letters were shown\n' })
  const [unknown, other] = await Promise.all([list(`rediss://:p%40ss%3Aword@localhost:${port}`), list(`rediss://:p%40ss%3Aword@127.0.0.1:${port}`, { NODE_EXTRA_CA_CERTS: authority })])
  for (const { code, output } of [unknown, other]) {
    t.equal(code, 1)
    t.match(output, /^Redis does not answer where REDIS_URL says: (?:SELF_SIGNED_CERT_IN_CHAIN|ERR_TLS_CERT_ALTNAME_INVALID)\n$/)
  }
})

t.test('the nodes of a cluster may be known by addresses that their certificate does not name', needsRedis, async t => {
  const ports: number[] = []
  await startRedisCluster(t, 3, async () => {
    ports.push(await freePort())
    return [...serve(ports.at(-1)!), '--tls-cluster', 'yes']
  })
  for (const port of ports) {
    t.strictSame(await list(`rediss://localhost:${port}`, { NODE_EXTRA_CA_CERTS: authority }), { code: 0, output: '0 dead letters were shown\n' })
  }
})
