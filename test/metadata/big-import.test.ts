import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { generations } from '../../src/metadata/localdb/generations.ts'
import { localDbDirectory } from '../../src/metadata/localdb/files.ts'
import { openLocalDb } from '../../src/metadata/localdb/open.ts'
import { eventually } from '../support/eventually.ts'
import { startHttpRecommender } from '../support/http-recommender.ts'
import { finished, run, startServer } from '../support/server-process.ts'
import { cacheControl } from '../support/shop.ts'

const signal = new AbortController().signal
const count = 50_000
const perAnswer = 25

/** A catalog whose items tell its version at both ends. */
function catalog (version: number, lines = count): string {
  const text = 'x'.repeat(340)
  return Array.from({ length: lines }, (_, i) => `{"id":"item-${i * 7919 % count}","v":${version},"text":"${text}","w":${version}}\n`).join('')
}

function shop (t: Test, url = 'http://127.0.0.1:9/') {
  const dataDir = t.testdir()
  const directory = localDbDirectory(dataDir, 'shop')
  const config = join(dataDir, 'config.json')
  const recommenders = { 'recommend-items': { home: { variations: { remote: { type: 'http', url: `${url}/{userId}` } } } } }
  writeFileSync(config, JSON.stringify({ cacheControl, namespaces: { shop: { inferenceItemMetadata: { type: 'localdb' }, recommenders } } }))
  const environment = { DATA_DIR: dataDir, CONFIG_FILE: config }
  const start = (file: string) => run('cli.js', ['items', 'import', '--namespace', 'shop', file], environment)
  return {
    environment,
    directory,
    file: join(dataDir, 'items.jsonl'),
    start,
    import: async (content: string): Promise<{ code: number | null, output: string }> => {
      const file = join(dataDir, 'items.jsonl')
      writeFileSync(file, content)
      return finished(start(file))
    },
    stored: async (...ids: string[]): Promise<Record<string, string>> => {
      const store = await openLocalDb(directory, { onError: error => { throw error } })
      const found = await store.get(ids, signal)
      await store.close()
      return Object.fromEntries(found)
    }
  }
}

interface Decorated {
  itemList: Array<{ itemId: string, metadata: { v: number, w: number } }>
}

/** Asks without a pause until told to stop; what it was answered, as the versions of the items of each answer. */
async function askOn (url: string, client: number, stopped: () => boolean): Promise<number[][]> {
  const answers: number[][] = []
  for (let i = 0; !stopped(); i++) {
    const response = await fetch(`${url}/recommend-items/shop/home/user-${client}-${i}`)
    if (response.status !== 200) throw new Error(`answered ${response.status}`)
    const { itemList } = await response.json() as Decorated
    if (itemList.length !== perAnswer) throw new Error(`${itemList.length} items`)
    for (const { itemId, metadata } of itemList) if (metadata.v !== metadata.w) throw new Error(`${itemId} is of two catalogs`)
    answers.push([...new Set(itemList.map(({ metadata }) => metadata.v))])
  }
  return answers
}

t.test('a catalog is swapped under requests: none fails, each is answered from one catalog, the old one\'s files go', async t => {
  const origin = await startHttpRecommender(t)
  let asked = 0
  origin.answer(() => ({ body: { itemList: Array.from({ length: perAnswer }, (_, i) => ({ itemId: `item-${(asked++ * 31 + i * 997) % count}` })) } }))
  const { environment, directory, import: take } = shop(t, origin.url)
  t.equal((await take(catalog(1))).code, 0)
  const { url } = await startServer(t, environment)
  let stop = false
  const clients = Promise.all(Array.from({ length: 4 }, async (_, client) => askOn(url, client, () => stop)))
  const before = (await generations(directory).current())!
  const { code, output } = await take(catalog(2))
  t.equal(code, 0, output)
  await eventually('the new catalog is served', async () => {
    const [first] = await askOn(url, 9, (asks => () => asks++ > 0)(0))
    return first?.[0] === 2
  })
  stop = true
  const answers = (await clients).flat()
  t.ok(answers.length > 100, `${answers.length} requests`)
  t.ok(answers.every(versions => versions.length === 1), 'each is of one catalog')
  t.strictSame([...new Set(answers.flat())].sort(), [1, 2], 'both were served')
  t.notOk(existsSync(before))
  t.equal(readdirSync(directory).filter(name => name.startsWith('generation-')).length, 1)
})

t.test('a catalog whose last line is broken is refused by that line and changes nothing', async t => {
  const { directory, import: take, stored } = shop(t)
  t.equal((await take('{"id":"item-1","v":0}\n')).code, 0)
  const before = readdirSync(directory)
  const { code, output } = await take(`${catalog(1, count - 1)}{"id":"item-0","v":1,\n`)
  t.not(code, 0)
  t.match(output, new RegExp(`line ${count}: is not JSON`))
  t.strictSame(readdirSync(directory), before)
  t.strictSame(await stored('item-0', 'item-1'), { 'item-1': '{"v":0}' })
})

t.test('an import that is killed changes nothing, and what it left is gone with the next start or import', async t => {
  const { directory, file, start, import: take, stored } = shop(t)
  t.equal((await take('{"id":"item-1","v":0}\n')).code, 0)
  const before = readdirSync(directory)
  const pipe = `${file.slice(0, -'.jsonl'.length)}-pipe.jsonl`
  execFileSync('mkfifo', [pipe])
  const killInTheMiddle = async (): Promise<void> => {
    const importer = start(pipe)
    const ended = once(importer, 'close')
    const source = createWriteStream(pipe)
    source.on('error', () => {})
    source.write(catalog(1))
    await eventually('it has put items aside', () => readdirSync(directory, { recursive: true }).some(name => name.toString().endsWith('run-0')), 15_000)
    importer.kill('SIGKILL')
    await ended
    source.destroy()
    t.ok(readdirSync(directory).length > before.length, 'it left something')
  }
  await killInTheMiddle()
  t.strictSame(await stored('item-0', 'item-1'), { 'item-1': '{"v":0}' }, 'the store that opens is the old one,')
  t.strictSame(readdirSync(directory).filter(name => name !== 'LOCK'), before, 'and sweeps')
  await killInTheMiddle()
  t.equal((await take('{"id":"item-0","v":2}')).code, 0)
  t.strictSame(await stored('item-0', 'item-1'), { 'item-0': '{"v":2}' })
  t.equal(readdirSync(directory).length, 2, 'the pointer and one generation')
})
