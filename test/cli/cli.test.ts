import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { eventually } from '../support/eventually.ts'
import { startGateway, storeConfig } from '../support/gateway.ts'
import { finished, run } from '../support/server-process.ts'

// The tests mostly wait for processes and timeouts of their own.
t.jobs = 4

interface ItemList { itemList: Array<{ itemId: string, metadata?: object }> }

const gateway = async (args: string[], environment: Record<string, string> = {}): Promise<{ code: number | null, output: string }> => finished(run('cli.js', args, environment))

t.test('config validate tells whether a document can be used', async t => {
  const dir = t.testdir({ 'good.json': JSON.stringify({ ...storeConfig, namespaces: { store: storeConfig.namespaces.store } }), 'bad.json': '{"namespaces":{},"a":1,"b":2}' })
  t.match(await gateway(['config', 'validate', join(dir, 'good.json')]), { code: 0, output: 'is a valid configuration' })
  t.notMatch(await gateway(['config', 'validate', join(dir, 'good.json')]), { output: 'warning' })
  t.match(await gateway(['config', 'validate', join(dir, 'bad.json')]), { code: 1, output: /\/a: is not a known key here\n.*\/b: is not a known key here/ })
  t.match(await gateway(['config', 'validate', join(dir, 'none.json')]), { code: 1, output: 'ENOENT' })
})

t.test('gateway --version tells the version of the package', async t => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  for (const option of ['--version', '-V']) t.strictSame(await gateway([option]), { code: 0, output: `${version}\n` })
})

t.test('a running server takes over imported items and events', async t => {
  const { app, dataDir } = await startGateway(t)
  writeFileSync(join(dataDir, 'items.csv'), 'code,title,secret\ntea,"Tea, green",x\ncup,Cup,y\n')
  writeFileSync(join(dataDir, 'clicks.tsv'), 'SessionId\tItemId\tTime\n1\ttea\t1700000000.5\n1\tcup\t1700000060\n')
  const environment = { DATA_DIR: dataDir, CONFIG_FILE: join(dataDir, 'store.json') }
  writeFileSync(environment.CONFIG_FILE, JSON.stringify(storeConfig))
  const items = await gateway(['items', 'import', '--namespace', 'store', '--columns', 'id=code,name=title', join(dataDir, 'items.csv')], environment)
  t.match(items, { code: 0, output: 'store has 2 items now' })
  const events = await gateway(['events', 'import', '--namespace', 'store', '--event-type', 'click', '--columns', 'sessionId=SessionId,itemId=ItemId,sentAt=Time', join(dataDir, 'clicks.tsv')], environment)
  t.match(events, { code: 0, output: '2 of 2 events are new to store' })
  const list = async (): Promise<ItemList['itemList']> => (await app.inject('/recommend-items/store/for-you/nobody')).json<ItemList>().itemList
  await eventually('the import is taken over', async () => (await list()).some(({ metadata }) => metadata !== undefined))
  t.match(await list(), [{ itemId: 'cup', metadata: { name: 'Cup' } }, { itemId: 'tea', metadata: { name: 'Tea, green' } }])
  t.notMatch(JSON.stringify(await list()), 'secret')
})

t.test('a bad line in a catalog is refused with its number', async t => {
  const dir = t.testdir({ 'items.jsonl': '{"id":"a"}\n{"name":"no id"}\n{"id":"b"}\nnonsense\n', 'store.json': JSON.stringify(storeConfig) })
  const { code, output } = await gateway(['items', 'import', '--namespace', 'store', join(dir, 'items.jsonl')], { DATA_DIR: dir, CONFIG_FILE: join(dir, 'store.json') })
  t.equal(code, 1)
  t.match(output, 'line 2: id: expected a string')
  t.match(output, 'line 4: is not JSON')
})

t.test('events are refused by a namespace without a recommender that learns from them, and --columns without an id', async t => {
  const dir = t.testdir({
    'config.json': JSON.stringify({ namespaces: { plain: {}, store: storeConfig.namespaces.store } }), 'events.csv': 'userId,itemId\n u , i \n', 'other.csv': 'user;item\nu;i\n'
  })
  const environment = { DATA_DIR: join(dir, 'data'), CONFIG_FILE: join(dir, 'config.json') }
  const events = async (namespace: string, file: string, ...more: string[]): ReturnType<typeof gateway> => gateway(['events', 'import', '--namespace', namespace, ...more, join(dir, file)], environment)
  t.match(await events('nowhere', 'events.csv'), { code: 1, output: /has no namespace "nowhere"; it has plain, store\n$/ })
  t.match(await events('plain', 'events.csv'), { code: 1, output: /for the namespace "plain" no recommender .*embedded; the namespaces with one are store\n$/ })
  t.match(await events('store', 'events.csv'), { code: 0, output: '1 of 1 events are new to store' })
  t.match(await events('store', 'other.csv'), { code: 1, output: 'there is no column itemId or properties; the file has user, item' })
  t.match(await events('store', 'none.csv'), { code: 1, output: /^cannot read .*none\.csv: there is no such file or folder \(ENOENT\)\n$/ })
  t.match(await events('store', 'events.csv', '--columns', 'userId=userId'), { code: 1, output: 'itemId has no column; expected itemId=column' })
  t.match(await gateway(['items', 'import', '--namespace', 'store', '--columns', 'title=name', join(dir, 'events.csv')], environment), { code: 1, output: 'id has no column; expected id=column' })
})

t.test('a folder of parts is one catalog for items import, and one that shrinks the store needs --force', async t => {
  const parts = Object.fromEntries([0, 1, 2].map(n => [`part-0000${n}-x.json`, `{"id":"${n}"}\n`]))
  const dir = t.testdir({ 'store.json': JSON.stringify(storeConfig), parts: { ...parts, _SUCCESS: '' } })
  const items = async (...args: string[]): ReturnType<typeof gateway> => gateway(['items', 'import', '--namespace', 'store', ...args], { DATA_DIR: join(dir, 'data'), CONFIG_FILE: join(dir, 'store.json') })
  t.match(await items(join(dir, 'parts')), { code: 0, output: /passed over: .*_SUCCESS[^]*store has 3 items now|store has 3 items now[^]*passed over: .*_SUCCESS/ })
  const [one] = Object.keys(parts).map(name => join(dir, 'parts', name))
  t.match(await items(one!), { code: 1, output: /has only 1 items, less than half of the 3 items in use.*--force/ })
  t.match(await items('--force', one!), { code: 0, output: 'store has 1 items now' })
})

t.test('mistakes in a command are told', async t => {
  t.match(await gateway(['items', 'import', 'x.jsonl']), { code: 1, output: '--namespace' })
  t.match(await gateway(['items', 'import', '--namespace', '../up', 'x.jsonl']), { code: 1, output: 'letters, digits' })
  t.match(await gateway(['events', 'import', '--namespace', 'a', '--columns', 'user=u', 'x.csv']), { code: 1, output: '"user" is not a field' })
  t.match(await gateway(['events', 'import', '--namespace', 'a', 'x.parquet'], { DATA_DIR: t.testdir() }), { code: 1, output: 'tells no format' })
})

t.test('openapi writes the document of the sample store, as it is kept in the repository', async t => {
  const dir = t.testdir()
  const file = join(dir, 'openapi.json')
  t.match(await gateway(['openapi', '--output', file]), { code: 0 })
  t.equal(readFileSync(file, 'utf8'), readFileSync('openapi/openapi.json', 'utf8'), '`npm run openapi` keeps it true')
})
