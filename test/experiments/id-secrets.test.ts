import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { readSecret } from '../../src/experiments/id-secrets.ts'

t.test('workers that start together get one secret of the data directory, and keep it', async t => {
  for (let round = 0; round < 20; round++) {
    const dataDir = t.testdir()
    const [secret, ...others] = await Promise.all(Array.from({ length: 8 }, async () => readSecret(dataDir)))
    t.strictSame(new Set(others), new Set([secret]))
    t.equal(await readSecret(dataDir), secret)
    t.strictSame(await readdir(dataDir), ['recommendation-id-secret'])
    t.equal((await stat(join(dataDir, 'recommendation-id-secret'))).mode & 0o777, 0o600)
  }
})

t.test('a secret that was written in part is replaced, and a directory that cannot be written gives one for this process', async t => {
  const dataDir = t.testdir()
  const path = join(dataDir, 'recommendation-id-secret')
  await writeFile(path, 'half')
  const secret = await readSecret(dataDir)
  t.equal(await readFile(path, 'utf8'), secret)
  t.equal(await readSecret(dataDir), secret)
  t.match(await readSecret(join(dataDir, 'absent')), /^[\w-]{43}$/)
})
