import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { eventually } from '../support/eventually.ts'
import { startGateway, storeConfig } from '../support/gateway.ts'
import { finished, run } from '../support/server-process.ts'

interface ItemList { itemList: Array<{ itemId: string, metadata?: object }> }

const gateway = async (args: string[], environment: Record<string, string> = {}): Promise<{ code: number | null, output: string }> => finished(run('cli.js', args, environment))

t.test('config validate tells whether a document can be used', async t => {
  const dir = t.testdir({ 'good.json': JSON.stringify({ ...storeConfig, namespaces: { store: storeConfig.namespaces.store } }), 'bad.json': '{"namespaces":{},"a":1,"b":2}' })
  t.match(await gateway(['config', 'validate', join(dir, 'good.json')]), { code: 0, output: 'is a valid configuration' })
  t.notMatch(await gateway(['config', 'validate', join(dir, 'good.json')]), { output: 'warning' })
  t.match(await gateway(['config', 'validate', join(dir, 'bad.json')]), { code: 1, output: /\/a: is not a known key here\n.*\/b: is not a known key here/ })
  t.match(await gateway(['config', 'validate', join(dir, 'none.json')]), { code: 1, output: 'ENOENT' })
})

t.test('a running server takes over imported items and events', async t => {
  const { app, dataDir } = await startGateway(t)
  writeFileSync(join(dataDir, 'items.csv'), 'code,title,secret\ntea,"Tea, green",x\ncup,Cup,y\n')
  writeFileSync(join(dataDir, 'clicks.tsv'), 'SessionId\tItemId\tTime\n1\ttea\t1700000000.5\n1\tcup\t1700000060\n')
  const items = await gateway(['items', 'import', '--namespace', 'store', '--columns', 'id=code,name=title', join(dataDir, 'items.csv')], { DATA_DIR: dataDir })
  t.match(items, { code: 0, output: 'store has 2 items now' })
  const events = await gateway(['events', 'import', '--namespace', 'store', '--event-type', 'click', '--columns', 'sessionId=SessionId,itemId=ItemId,sentAt=Time', join(dataDir, 'clicks.tsv')], { DATA_DIR: dataDir })
  t.match(events, { code: 0, output: '2 of 2 events are new to store' })
  const list = async (): Promise<ItemList['itemList']> => (await app.inject('/recommend-items/store/for-you/nobody')).json<ItemList>().itemList
  await eventually('the import is taken over', async () => (await list()).some(({ metadata }) => metadata !== undefined))
  t.match(await list(), [{ itemId: 'cup', metadata: { name: 'Cup' } }, { itemId: 'tea', metadata: { name: 'Tea, green' } }])
  t.notMatch(JSON.stringify(await list()), 'secret')
})

t.test('a bad line in a catalog is refused with its number', async t => {
  const dir = t.testdir({ 'items.jsonl': '{"id":"a"}\n{"name":"no id"}\n{"id":"b"}\nnonsense\n' })
  const { code, output } = await gateway(['items', 'import', '--namespace', 'store', join(dir, 'items.jsonl')], { DATA_DIR: dir })
  t.equal(code, 1)
  t.match(output, 'line 2: id: expected a string')
  t.match(output, 'line 4: is not JSON')
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
