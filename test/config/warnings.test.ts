import t from 'tap'
import { parseConfig } from '../../src/config/parse.ts'
import { warningsOf } from '../../src/config/warnings.ts'
import { memorySource } from '../support/memory-source.ts'
import { buildApp } from '../../src/app.ts'
import { pino } from 'pino'

const variations = { main: { type: 'embedded' } }
const cacheControl = { userSpecified: { maxAge: 10, directives: 'private' } }

const warnings = (recommenders: Record<string, object>, more: object = {}): string[] =>
  warningsOf(parseConfig(JSON.stringify({ namespaces: { shop: { recommenders: { 'recommend-items': recommenders } } }, ...more }), 'test'))

t.test('a document without cacheControl is warned of in one line', async t => {
  t.match(warnings({ r: { variations }, s: { variations } }), [/^without cacheControl, the gateway caches no answers: /])
  t.equal(warnings({ r: { variations } }).length, 1)
  t.strictSame(warnings({ r: { variations } }, { cacheControl }), [])
  t.strictSame(warnings({ r: { variations } }, { cacheControl: {} }), [], 'one that says so means it')
  t.strictSame(warnings({ r: { variations, cacheControl } }), [])
  t.strictSame(warnings({}), [], 'there are no answers')
})

t.test('where a part of it has none, that part is named', async t => {
  const at = (name: string): string => `/namespaces/shop/recommenders/recommend-items/${name}/variations/main`
  t.strictSame(warnings({ r: { variations }, s: { variations, cacheControl } }), [`without cacheControl, the gateway caches no answers of ${at('r')}`])
  const many = Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map(name => [name, { variations }]))
  t.match(warnings({ ...many, s: { variations, cacheControl } })[0], new RegExp(`${at('a')}, ${at('b')}, ${at('c')} and 2 more$`))
})

t.test('the log says so when a configuration takes over', async t => {
  const lines: Array<{ level: number, msg: string }> = []
  const logger = pino({ level: 'info' }, { write (line: string) { lines.push(JSON.parse(line) as typeof lines[number]) } })
  const document = { namespaces: { shop: { recommenders: { 'recommend-items': { r: { variations } } } } } }
  const app = await buildApp({ source: memorySource(document), dataDir: t.testdir(), logger })
  t.teardown(async () => app.close())
  await app.ready()
  await app.config.loaded
  t.match(lines.filter(({ level, msg }) => level === 40 && !msg.startsWith('AUTH_SCHEME')), [{ msg: /^without cacheControl/ }])
})
