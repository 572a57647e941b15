import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createKeyRing, parseKeys } from '../../src/security/api-keys.ts'
import { finished, run, startServer } from '../support/server-process.ts'

const keysNew = async (...args: string[]): Promise<{ code: number | null, output: string }> => finished(run('cli.js', ['keys', 'new', ...args], {}))

t.test('keys new makes a key, and a record that opens by it', async t => {
  const { code, output } = await keysNew('--scope', 'read', '--scope', 'write,read', '--namespace', 'tea', '--namespace', 'cup', '--description', 'web shop')
  t.equal(code, 0)
  const [key = '', record = '', rest] = output.split('\n')
  t.equal(rest, '')
  const keys = parseKeys(record)
  t.match(keys, [{ scopes: ['read', 'write'], namespaces: ['tea', 'cup'], description: 'web shop' }])
  const ring = createKeyRing()
  ring.replace(keys)
  t.match(ring.find(key), { kind: 'key', id: keys[0]!.id })
  for (const args of [[], ['--scope', 'root'], ['--scope', 'read', '--namespace', '../x']]) t.not((await keysNew(...args)).code, 0, args.join(' '))
})

t.test('keys new --file gives a server its keys, as docs/security.md says, while it runs too', async t => {
  const dir = t.testdir({})
  const file = join(dir, 'keys.jsonl')
  const newKey = async (...args: string[]): Promise<string> => (await keysNew(...args, '--file', file)).output.trim()
  const reader = await newKey('--scope', 'read')
  t.equal(statSync(file).mode & 0o077, 0, 'others may not read it')
  t.notMatch(readFileSync(file, 'utf8'), reader.slice(16))
  const { url } = await startServer(t, { AUTH_SCHEME: 'api-key', API_KEYS_FILE: file, DATA_DIR: join(dir, 'data') })
  const statusOf = async (key?: string): Promise<number> => (await fetch(`${url}/recommend-items/sample-store/recommended-for-you/user-1`, { headers: key === undefined ? {} : { 'x-api-key': key } })).status
  t.strictSame([await statusOf(), await statusOf(reader)], [401, 200])
  const later = await newKey('--scope', 'read', '--namespace', 'sample-store')
  for (let i = 0; i < 2_000 && await statusOf(later) !== 200; i++) t.equal(await statusOf(reader), 200)
  t.equal(await statusOf(later), 200)
})
