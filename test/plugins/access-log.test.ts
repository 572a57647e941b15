import { Writable } from 'node:stream'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import type { AccessLog } from '../../plugins/access-log.ts'
import { startGateway, storeConfig } from '../support/gateway.ts'

interface Line {
  msg: string
  level: number
  route: string
  status: number
  code?: string
  namespace?: string
  path?: string
}

/** What is logged of a hundred good requests and two bad ones: the statuses of its lines. */
async function logged (t: Test, accessLog: AccessLog): Promise<number[]> {
  const lines: string[] = []
  const stream = new Writable({
    write (chunk: Buffer, _encoding, done) {
      lines.push(...chunk.toString().trim().split('\n'))
      done()
    }
  })
  const { app } = await startGateway(t, storeConfig, { accessLog, logger: pino({ level: 'info' }, stream) })
  for (let i = 0; i < 100; i++) await app.inject('/recommend-items/store/for-you/secret-user')
  await app.inject('/recommend-items/store/for-you/secret-user?numResults=0')
  await app.inject('/recommend-items/store/none/secret-user')
  t.notMatch(lines.join(), 'secret-user', 'no line names a user')
  return lines.map(line => JSON.parse(line) as { msg: string, status: number }).filter(({ msg }) => msg === 'request').map(({ status }) => status)
}

t.test('all requests get a line', async t => {
  t.equal((await logged(t, 'all')).length, 102)
})

t.test('or those that are errors', async t => {
  t.strictSame(await logged(t, 'errors'), [400, 404])
})

t.test('or a sample, and those that are errors', async t => {
  const statuses = await logged(t, 'sample')
  t.strictSame(statuses.filter(status => status !== 200), [400, 404])
  t.ok(statuses.length < 30, `${statuses.length} of 102`)
})

t.test('the line of an error has its code, its namespace, and for a 404 the path', async t => {
  const lines: Line[] = []
  const stream = new Writable({
    write (chunk: Buffer, _encoding, done) {
      lines.push(...chunk.toString().trim().split('\n').map(line => JSON.parse(line) as Line))
      done()
    }
  })
  const { app } = await startGateway(t, storeConfig, { logger: pino({ level: 'debug' }, stream) })
  const line = async (method: 'GET' | 'POST' | 'PUT', url: string, payload?: string): Promise<Line> => {
    await app.inject({ method, url, ...(payload === undefined ? {} : { payload, headers: { 'content-type': 'application/json' } }) })
    return lines.filter(({ msg }) => msg === 'request').at(-1)!
  }
  t.match(await line('GET', '/recommend-items/store/for-you/secret-user?numResults=0'), { level: 30, status: 400, code: 'InvalidParameter', namespace: 'store', path: undefined })
  t.match(await line('GET', '/recommend-items/store/none/secret-user?a=secret-user'), { status: 404, code: 'RecommenderNotConfigured', namespace: 'store', path: '/recommend-items/store/none/:userId' })
  t.match(await line('POST', '/events/nowhere', '{"userId":"secret-user","eventList":[{"eventType":"a"}]}'), { status: 404, code: 'NamespaceNotFound', namespace: 'nowhere', path: '/events/nowhere' })
  t.match(await line('POST', '/events/mute', '{"userId":"secret-user","eventList":[{"eventType":"a"}]}'), { status: 409, code: 'NoEventTargets', namespace: 'mute' })
  t.match(await line('POST', '/events/store', '{'), { status: 400, code: 'InvalidBody', namespace: 'store' })
  t.match(await line('GET', '/favicon.ico?secret-user'), { status: 404, code: 'RouteNotFound', path: '/favicon.ico' })
  t.match(await line('GET', '/prod/recommend-items/store/for-you/secret-user'), { status: 404, code: 'RouteNotFound', path: '/prod/recommend-items/store/for-you/…' })
  t.match(await line('GET', '/assignments/store/for-you/secret-user/x'), { status: 404, path: '/assignments/store/for-you/…' })
  t.match(await line('GET', '/prod/Assignments/store/for-you/secret-user'), { status: 404, path: '/prod/Assignments/store/for-you/…' })
  t.match(await line('GET', '/Recommend-Items/store/for-you/secret-user'), { status: 404, path: '/Recommend-Items/store/for-you/…' })
  t.match(await line('GET', '/docs/static/nothing.js'), { status: 404, code: 'RouteNotFound', path: '/docs/static/nothing.js' })
  t.match(await line('PUT', '/events/store'), { status: 405, code: 'MethodNotAllowed' })
  t.match(await line('GET', `/recommend-items/store/for-you/${'x'.repeat(8_200)}`), { status: 414, code: 'UrlTooLong' })
  t.match(await line('GET', `/recommend-items/store/for-you/me?context=${'x'.repeat(8_200)}`), { status: 414, code: 'UrlTooLong', namespace: 'store' })
  t.match(await line('GET', '/recommend-items/store/for-you/%zz'), { status: 400, code: 'InvalidUrl' })
  t.strictSame(Object.keys(await line('GET', '/recommend-items/store/for-you/secret-user')).filter(key => ['code', 'namespace', 'path'].includes(key)), [])
  t.notMatch(JSON.stringify(lines), 'secret-user')
})

t.test('health probes are logged at debug', async t => {
  const lines: string[] = []
  const { app } = await startGateway(t, storeConfig, { logger: pino({ level: 'debug' }, { write (line: string) { lines.push(line) } }) })
  for (const url of ['/health/live', '/health/ready', '/metrics']) await app.inject(url)
  const requests = lines.map(line => JSON.parse(line) as Line).filter(({ msg }) => msg === 'request')
  t.match(requests, [{ level: 20, route: '/health/live' }, { level: 20, route: '/health/ready' }, { level: 30, route: '/metrics' }])
})
