import { execFile } from 'node:child_process'
import { connect } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { eventually } from './support/eventually.ts'
import { rewrite, storeConfig } from './support/gateway.ts'
import { finished, run, startServer } from './support/server-process.ts'

interface ItemList { itemList: Array<{ itemId: string, metadata: object, reason?: string[] }> }

const shell = promisify(execFile)

async function get<T> (url: string): Promise<T> {
  return (await fetch(url)).json() as Promise<T>
}

t.test('with nothing configured it serves the sample store, and the three commands it prints work', async t => {
  const { output, url } = await startServer(t, { DATA_DIR: t.testdir() })
  await eventually('the commands are printed', () => output().includes('curl'))
  const commands = output().split('\n').filter(line => line.startsWith('curl '))
  t.equal(commands.length, 3)
  const answers: string[] = []
  for (const command of commands) answers.push((await shell('bash', ['-c', command.replace('localhost', '127.0.0.1')])).stdout)
  const [before, click, after] = answers.map(answer => JSON.parse(answer) as ItemList)
  t.same(click, { targets: { embedded: 'delivered' } })
  t.notSame(after!.itemList.map(({ itemId }) => itemId), before!.itemList.map(({ itemId }) => itemId))
  t.ok([...before!.itemList, ...after!.itemList].every(({ metadata }) => metadata))
  const { itemList } = await get<ItemList>(`${url}/recommend-items/sample-store/recommended-for-you/someone-new`)
  t.ok(itemList.length === 25 && itemList.every(({ reason }) => reason?.includes('popular')))
})

t.test('events answered before a kill -9 are there after it', async t => {
  const DATA_DIR = t.testdir({ 'config.json': JSON.stringify(storeConfig) })
  const environment = { DATA_DIR, CONFIG_FILE: join(DATA_DIR, 'config.json') }
  const first = await startServer(t, environment)
  const answered: string[] = []
  const killed = new AbortController()
  // Four clients send as fast as they can until the process is gone in the middle of it.
  const clients = [0, 1, 2, 3].map(async client => {
    for (let i = 0; !killed.signal.aborted; i++) {
      const itemId = `item-${client}-${i}`
      const body = JSON.stringify({ userId: `user-${client}-${i}`, sessionId: `s-${client}-${i}`, eventList: [{ eventType: 'view', itemId: 'common' }, { eventType: 'view', itemId }] })
      const response = await fetch(`${first.url}/events/store`, { method: 'POST', headers: { 'content-type': 'application/json' }, body }).catch(() => undefined)
      if (response?.status === 200) answered.push(`${client}-${i}`)
    }
  })
  await eventually('enough events were answered', () => answered.length >= 400)
  await first.end('SIGKILL')
  killed.abort()
  await Promise.all(clients)

  const second = await startServer(t, environment)
  t.ok(answered.length >= 400)
  const lost: string[] = []
  for (const name of answered) {
    const { itemList } = await get<ItemList>(`${second.url}/recommend-items/store/for-you/user-${name}?numResults=500`)
    // What the user has seen is left out, so an event that was lost shows as its item in the list.
    if (itemList.some(({ itemId }) => itemId === `item-${name}` || itemId === 'common')) lost.push(name)
  }
  t.same(lost, [])
})

t.test('SIGTERM: the probe says so, requests are served through the drain, and the end is clean', async t => {
  const DATA_DIR = t.testdir({ 'config.json': JSON.stringify(storeConfig) })
  const { url, end } = await startServer(t, { DATA_DIR, CONFIG_FILE: join(DATA_DIR, 'config.json'), SHUTDOWN_DRAIN: '1' })
  const started = Date.now()
  const ended = end('SIGTERM')
  await eventually('the probe says that it drains', async () => (await fetch(`${url}/health/ready`)).status === 503)
  t.equal((await fetch(`${url}/recommend-items/store/for-you/me`)).status, 200)
  t.equal((await fetch(`${url}/health/live`)).status, 200)
  t.same(await ended, [0, null])
  t.ok(Date.now() - started < 5_000, 'an idle connection does not hold it up')
})

t.test('a broken configuration at start: exit 1 with every mistake by its JSON pointer', async t => {
  const broken = {
    ...storeConfig,
    colour: 'red',
    version: 7,
    namespaces: { store: { recommenders: { 'recommend-items': { 'for-you': { variations: { a: { type: 'sagemuker' }, b: { type: 'embedded', excludeSeen: 'yes' } } } } } } }
  }
  const dir = t.testdir({ 'broken.json': JSON.stringify(broken), 'dangling.json': JSON.stringify(withFallback(['nothing'])), 'bad.json': '{"namespaces":' })
  const start = async (file: string): Promise<{ code: number | null, output: string }> => finished(run('server.js', [], { CONFIG_FILE: join(dir, file), DATA_DIR: dir, PORT: '0' }))
  const variations = '/namespaces/store/recommenders/recommend-items/for-you/variations'
  const { code, output } = await start('broken.json')
  t.equal(code, 1)
  t.match(output, '/colour: is not a known key here')
  t.match(output, '/version: expected a string')
  t.match(output, `${variations}/a/type: expected one of`)
  t.match(output, `${variations}/b/excludeSeen: expected true or false`)
  t.match(await start('dangling.json'), { code: 1, output: '/fallback/0: "nothing" is not a variation of recommend-items/for-you' })
  t.match(await start('bad.json'), { code: 1, output: /is not JSON.*line 1, column 1\d/ })
  t.match(await start('missing.json'), { code: 1, output: 'cannot be read (ENOENT)' })
})

t.test('bad settings: exit 1 with every variable that is wrong', async t => {
  const { code, output } = await finished(run('server.js', [], { PORT: 'http', SHUTDOWN_DRAIN: '99', LOG_LEVEL: 'loud', DATA_DIR: t.testdir() }))
  t.equal(code, 1)
  for (const name of ['PORT', 'SHUTDOWN_DRAIN', 'LOG_LEVEL']) t.match(output, `${name} expected`)
})

t.test('a broken configuration at reload: the one before goes on serving, and the probe tells', async t => {
  const DATA_DIR = t.testdir({ 'config.json': JSON.stringify(storeConfig) })
  const file = join(DATA_DIR, 'config.json')
  const { url } = await startServer(t, { DATA_DIR, CONFIG_FILE: file })
  const status = async (): Promise<{ status: string, configuration: { version: string, error?: { message: string }, reloads: object } }> => get(`${url}/health/ready`)
  rewrite(file, { ...storeConfig, version: '8', namespaces: 'none' })
  await eventually('the probe says degraded', async () => (await status()).status === 'degraded')
  t.match(await status(), { configuration: { version: '7', error: { message: '/namespaces: expected an object' }, reloads: { failed: 1 } } })
  t.equal((await fetch(`${url}/recommend-items/store/for-you/me`)).status, 200)
  rewrite(file, { ...storeConfig, version: '9' })
  await eventually('the new version serves', async () => (await status()).configuration.version === '9')
  t.equal((await status()).status, 'ready')
})

t.test('what is no HTTP, or has headers without end, is refused in the contract\'s form', async t => {
  const { url } = await startServer(t, { DATA_DIR: t.testdir() })
  const raw = async (text: string): Promise<string> => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    let answer = ''
    socket.on('data', chunk => { answer += chunk.toString() })
    socket.write(text)
    await once(socket, 'close')
    return answer
  }
  t.match(await raw('nonsense\r\n\r\n'), /^HTTP\/1.1 400 [\s\S]*"code":"InvalidRequest"/)
  t.match(await raw(`GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`), /^HTTP\/1.1 431 [\s\S]*"code":"HeadersTooLarge"/)
})

function withFallback (fallback: string[]): object {
  return { namespaces: { store: { recommenders: { 'recommend-items': { 'for-you': { fallback, variations: { a: { type: 'embedded' } } } } } } } }
}
