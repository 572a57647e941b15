import t from 'tap'
import { createKey, createKeyRing, parseKeys } from '../../src/security/api-keys.ts'
import { fixedKeys } from '../../src/security/key-sources.ts'
import { startGateway } from '../support/gateway.ts'

t.test('API keys: a key has the form pg_<id>_<secret>, and its record holds a digest only', async t => {
  const { key, record } = createKey({ scopes: ['read'], namespaces: ['shop'] })
  t.match(key, /^pg_[a-z0-9]{12}_[\w-]{43}$/)
  t.match(record, { id: key.split('_')[1], sha256: /^[0-9a-f]{64}$/, scopes: ['read'], namespaces: ['shop'] })
  t.notMatch(JSON.stringify(record), key.slice(16))
  t.not(createKey({ scopes: ['read'] }).key, createKey({ scopes: ['read'] }).key)
})

t.test('API keys: several are valid at once, and every other text is not', async t => {
  const [one, two] = [createKey({ scopes: ['read'] }), createKey({ scopes: ['write'], namespaces: ['shop'] })]
  const ring = createKeyRing()
  ring.replace([one.record, two.record])
  t.match(ring.find(one.key), { kind: 'key', id: one.record.id, user: undefined })
  t.strictSame([...ring.find(two.key)!.namespaces!], ['shop'])
  const [id, secret] = [one.key.slice(3, 15), one.key.slice(16)]
  for (const wrong of ['', 'pg_', 'pg__', id, secret, `pg_${id}`, `pg_${id}_`, `pg_${id}_${secret} `, `pg_${id}_${secret.slice(1)}`, `PG_${id}_${secret}`, `pg_${two.record.id}_${secret}`, `pg__${secret}`, `pg_undefined_${secret}`, `pg_${id}_${one.record.sha256}`, `pg___proto___${secret}`]) {
    t.equal(ring.find(wrong), undefined, wrong)
  }
  ring.replace([two.record])
  t.equal(ring.find(one.key), undefined, 'withdrawn')
})

t.test('API keys: a wrong file of keys is refused, with its mistakes and without its text', async t => {
  const { record } = createKey({ scopes: ['read'] })
  t.strictSame(parseKeys(JSON.stringify([record])), [record])
  t.strictSame(parseKeys(`${JSON.stringify(record)}\n\n${JSON.stringify({ ...record, id: 'other' })}\n`).length, 2, 'a record on each line')
  const wrong = ['', '[]', '{', 'pg_secret', '[{}]', 'null', '[null]', JSON.stringify({ ...record, sha256: 'secret' }), JSON.stringify({ ...record, scopes: [] }), JSON.stringify({ ...record, scopes: ['root'] }), JSON.stringify({ ...record, namespaces: [] }), JSON.stringify({ ...record, namespace: 'x' }), JSON.stringify([record, record])]
  for (const text of wrong) {
    const error = t.throws(() => parseKeys(text), Error, text) as Error
    t.match(error.message, /keys/)
    t.notMatch(error.message, 'secret')
  }
})

/** Returns Welch's t of two samples. */
function welch (a: readonly number[], b: readonly number[]): number {
  const [meanA, meanB] = [mean(a), mean(b)]
  const variance = (values: readonly number[], middle: number): number => values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1)
  return (meanA - meanB) / Math.sqrt(variance(a, meanA) / a.length + variance(b, meanB) / b.length)
}

function mean (values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

t.test("API keys: right and wrong ids and secrets take the same time (Welch's t over 20,000 interleaved requests)", { timeout: 110_000 }, async t => {
  const { key, record } = createKey({ scopes: ['read'] })
  const { app } = await startGateway(t, undefined, { authentication: { schemes: ['api-key'], keySources: [fixedKeys('API_KEYS', JSON.stringify(record))] } })
  const secret = key.slice(16)
  const changed = (text: string, at: number): string => text.slice(0, at) + (text[at] === 'a' ? 'b' : 'a') + text.slice(at + 1)
  const kinds = {
    'wrong id': `pg_${changed(record.id, 11)}_${secret}`,
    'right id, other secret': `pg_${record.id}_${createKey({ scopes: ['read'] }).key.slice(16)}`,
    'right id, secret wrong in its last character': `pg_${record.id}_${changed(secret, 41)}`,
    'wrong id, other secret': `pg_${changed(record.id, 0)}_${createKey({ scopes: ['read'] }).key.slice(16)}`
  }
  const names = Object.keys(kinds) as Array<keyof typeof kinds>
  const times: Record<string, number[]> = Object.fromEntries(names.map(name => [name, []]))
  for (let i = 0; i < 21_000; i++) {
    // In random order, so that no kind always comes after the same other one.
    const name = names[Math.floor(Math.random() * names.length)]!
    const begun = process.hrtime.bigint()
    const { statusCode } = await app.inject({ url: '/recommend-items/store/for-you/user-1', headers: { 'x-api-key': kinds[name] } })
    const took = Number(process.hrtime.bigint() - begun)
    if (statusCode !== 401) throw new Error(`${name}: ${statusCode}`)
    if (i >= 1_000) times[name]!.push(took)
  }
  // The slowest hundredth is the collector's and the machine's, whatever was asked.
  const limit = Object.values(times).flat().sort((a, b) => a - b)[Math.floor(20_000 * 0.99)]!
  const kept = (name: string): number[] => times[name]!.filter(time => time < limit)
  for (const [i, one] of names.entries()) {
    for (const other of names.slice(i + 1)) {
      const score = welch(kept(one), kept(other))
      t.ok(Math.abs(score) < 4.5, `${one} and ${other}: t = ${score.toFixed(2)}`)
    }
  }
})
