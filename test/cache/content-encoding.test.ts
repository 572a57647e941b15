import t from 'tap'
import { acceptedEncodings, encodedTag, plainTag, select } from '../../src/cache/content-encoding.ts'

t.test('what a client accepts, and prefers (RFC 9110 §12.5.3)', async t => {
  for (const [field, expected] of [
    [undefined, ''],
    ['', ''],
    ['gzip', 'gzip'],
    ['br', 'br'],
    ['x-gzip', 'gzip'],
    ['GZip', 'gzip'],
    ['gzip, deflate', 'gzip'],
    ['gzip, deflate, br, zstd', 'br,gzip'],
    ['br, gzip', 'br,gzip'],
    [' ,gzip ,, br ', 'br,gzip'],
    ['br;q=0.5, gzip;q=0.8', 'gzip,br'],
    ['br;q=1.000, gzip;q=1', 'br,gzip'],
    ['gzip;q=0.001', 'gzip'],
    ['gzip;q=0', ''],
    ['gzip;q=0.000', ''],
    ['gzip ; Q = 0 , br', 'br'],
    ['gzip;q=0, *', 'br'],
    ['*', 'br,gzip'],
    ['*;q=0', ''],
    ['*;q=0.5, gzip', 'gzip,br'],
    ['*;q=0, gzip', 'gzip'],
    ['identity', ''],
    ['identity;q=0', ''],
    ['identity;q=0, gzip', 'gzip'],
    ['identity;q=0, *', 'br,gzip'],
    ['identity, gzip;q=0.5', ''],
    ['identity;q=0.5, gzip', 'gzip'],
    ['identity;q=0.5, gzip;q=0.5', 'gzip'],
    ['identity;q=0.5, gzip;q=0.8, br;q=0.2', 'gzip'],
    ['deflate, zstd', ''],
    ['gzip;q=nonsense', ''],
    ['gzip;q=', ''],
    ['gzip;q=2', ''],
    ['gzip;q=-1', ''],
    ['gzip;q=1.5', 'gzip'],
    ['gzipped', ''],
    ['"gzip"', ''],
    ['gzip;level=9', 'gzip'],
    ['gzip, gzip;q=0', 'gzip']
  ] as const) {
    for (const time of ['first', 'second']) t.equal(acceptedEncodings(field).join(), expected, `${field} the ${time} time`)
  }
})

t.test('a long field takes no long time, and many different ones do not stay', async t => {
  const started = performance.now()
  for (const field of ['gzip,'.repeat(3_000), ';q=1'.repeat(4_000), `gzip;q=0.${'0'.repeat(16_000)}1`, 'q'.repeat(16_000)]) acceptedEncodings(field)
  t.ok(performance.now() - started < 1_000)
  for (let i = 0; i < 1_000; i++) acceptedEncodings(`x${i}, gzip`)
  t.strictSame(acceptedEncodings('x999, gzip'), ['gzip'])
})

t.test('each encoding has a tag of its own, from which that of the plain body can be told', async t => {
  t.strictSame(['br', 'gzip'].map(name => encodedTag('"a"', name as 'br')), ['"a.br"', '"a.gzip"'])
  for (const tag of ['"a"', '"a.br"', '"a.gzip"']) t.equal(plainTag(tag), '"a"')
  for (const tag of ['"br"', '""', '"a.deflate"', '"a-br"']) t.equal(plainTag(tag), tag)
})

t.test('of what exists, the preferred representation is selected', async t => {
  const plain = { body: Buffer.from('plain'), etag: '"a"' }
  const gzip = { body: Buffer.from('g'), etag: '"a.gzip"', encoding: 'gzip' } as const
  const br = { body: Buffer.from('b'), etag: '"a.br"', encoding: 'br' } as const
  t.equal(select(plain, ['br', 'gzip']), plain)
  t.equal(select({ ...plain, encoded: { gzip } }, ['br', 'gzip']), gzip)
  t.equal(select({ ...plain, encoded: { gzip, br } }, ['br', 'gzip']), br)
  t.equal(select({ ...plain, encoded: { gzip, br } }, ['gzip']), gzip)
  t.match(select({ ...plain, encoded: { gzip, br } }, []), plain)
  t.match(select({ ...plain, encoded: { gzip: null } }, ['gzip']), plain)
})
