import { join } from 'node:path'
import t from 'tap'
import { autoContextConfig, phoneInSanFrancisco } from '../support/auto-context.ts'
import { finished, run } from '../support/server-process.ts'

// The tests mostly wait for processes and timeouts of their own.
t.jobs = 4

const gateway = async (...args: string[]): Promise<{ code: number | null, output: string }> => finished(run('cli.js', args, {}))
const path = '/recommend-items/my-store/product-recommender/user-1'
const lines = Object.entries(phoneInSanFrancisco).map(([name, value]) => `${name}: ${value}`).join('\n')

t.test('config explain tells how a request is understood, whatever form its headers are given in', async t => {
  const dir = t.testdir({ 'config.json': JSON.stringify(autoContextConfig()), 'headers.txt': lines, 'headers.json': JSON.stringify(phoneInSanFrancisco), 'wrong.txt': 'no header' })
  for (const name of ['headers.txt', 'headers.json']) {
    const { code, output } = await gateway('config', 'explain', join(dir, 'config.json'), '--headers', join(dir, name), '--time', '2026-07-15T23:30:00-07:00', '--path', path)
    t.equal(code, 0, output)
    t.match(output, /"deviceType": "Phone",\s+"timeOfDay": "Night",\s+"city": "San Francisco"/)
    t.match(output, '"METRO_CODE": "\\"807\\""')
  }
  const explain = async (...more: string[]): Promise<unknown> => gateway('config', 'explain', join(dir, 'config.json'), ...more)
  t.match(await explain('--path', path, '--time', 'soon'), { code: 1, output: '--time: expected an ISO 8601 time' })
  t.match(await explain('--path', path, '--time-zone', 'Nowhere/At_All'), { code: 1, output: /^--time-zone: expected/ })
  t.match(await explain('--path', path, '--headers', join(dir, 'wrong.txt')), { code: 1, output: 'expected lines of "Name: value"' })
  t.match(await explain('--path', '/recommend-items/other/home/user-1'), { code: 1, output: 'namespace: "other" is not in the configuration' })
})

t.test('config cdn-policy names the headers that the rules read', async t => {
  const dir = t.testdir({ 'config.json': JSON.stringify(autoContextConfig()) })
  const { code, output } = await gateway('config', 'cdn-policy', join(dir, 'config.json'), '--name', 'mine')
  t.equal(code, 0, output)
  const { Name, ParametersInCacheKeyAndForwardedToOrigin: { HeadersConfig } } = JSON.parse(output) as { Name: string, ParametersInCacheKeyAndForwardedToOrigin: { HeadersConfig: { Headers: { Quantity: number, Items: string[] } } } }
  t.equal(Name, 'mine')
  t.strictSame(HeadersConfig.Headers.Items, Object.keys(phoneInSanFrancisco).map(name => name.toLowerCase()), 'no credentials: the key of an answer is its URL')
  t.equal(HeadersConfig.Headers.Quantity, 7)
})

t.test('config cdn-policy tells seasons apart by the hemisphere, not by the latitude', async t => {
  const policyOf = async (document: object): Promise<unknown> => {
    const { code, output } = await gateway('config', 'cdn-policy', join(t.testdir({ 'config.json': JSON.stringify({ namespaces: {}, ...document }) }), 'config.json'))
    t.equal(code, 0, output)
    return (JSON.parse(output) as { ParametersInCacheKeyAndForwardedToOrigin: { HeadersConfig: unknown } }).ParametersInCacheKeyAndForwardedToOrigin.HeadersConfig
  }
  t.strictSame(await policyOf({ autoContext: { season: { type: 'integer', rules: [{ type: 'season' }] } } }),
    { HeaderBehavior: 'whitelist', Headers: { Quantity: 2, Items: ['cloudfront-viewer-time-zone', 'x-viewer-hemisphere'] } })
  t.strictSame(await policyOf({}), { HeaderBehavior: 'none' })
})

t.test('config explain needs nothing of what events need', async t => {
  const eventTargets = [{ type: 'redis-stream', stream: 'events' }, { type: 'http', url: 'http://127.0.0.1:1/', secret: 'elsewhere' }, { type: 'kinesis-stream', streamName: 's', delivery: 'queued' }]
  const recommenders = { 'recommend-items': { home: { variations: { house: { type: 'embedded' } } } } }
  const dir = t.testdir({ 'config.json': JSON.stringify({ namespaces: { shop: { recommenders, eventTargets } } }) })
  t.match(await gateway('config', 'explain', join(dir, 'config.json'), '--path', '/recommend-items/shop/home/user-1'), { code: 0, output: /"variation": "house"/ })
})

t.test('a document without cacheControl is valid, and validate and explain say that nothing is cached', async t => {
  const recommenders = { 'recommend-items': { home: { variations: { house: { type: 'embedded' } } } } }
  const namespaces = { shop: { recommenders } }
  const cacheControl = { userSpecified: { maxAge: 10, directives: 'private' } }
  const dir = t.testdir({ 'none.json': JSON.stringify({ namespaces }), 'some.json': JSON.stringify({ namespaces, cacheControl }) })
  const explain = async (file: string): Promise<unknown> => gateway('config', 'explain', join(dir, file), '--path', '/recommend-items/shop/home/user-1')
  t.match(await gateway('config', 'validate', join(dir, 'none.json')), { code: 0, output: /is a valid configuration\nwarning: without cacheControl, the gateway caches no answers.*\n$/ })
  t.match(await explain('none.json'), { code: 0, output: '"caching": "not cached: the configuration has no cacheControl"' })
  t.match(await explain('some.json'), { code: 0, output: '"caching": "fresh for 10 s"' })
})
