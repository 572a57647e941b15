import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { fileSource } from '../../src/config/file-source.ts'
import { eventually } from '../support/eventually.ts'

t.test('a file is read as it is now', async t => {
  const file = join(t.testdir({ 'c.json': 'one' }), 'c.json')
  const source = fileSource(file)
  t.equal(source.name, file)
  t.equal(await source.read(), 'one')
  writeFileSync(file, 'two ü')
  t.equal(await source.read(), 'two ü')
})

t.test('a file that is not there is an error', async t => {
  await t.rejects(fileSource(join(t.testdir(), 'none.json')).read(), { code: 'ENOENT' })
})

t.test('changes are seen, in place and by a rename, until nobody watches', async t => {
  const directory = t.testdir({ 'c.json': 'one' })
  const file = join(directory, 'c.json')
  let changes = 0
  const stop = fileSource(file, 5).watch(() => { changes++ })
  t.teardown(stop)
  // A change is written again and again: the watcher takes its first look some time after it was asked to.
  let size = 0
  await eventually('a change in place is seen', () => {
    writeFileSync(file, 'x'.repeat(++size))
    return changes > 0
  })
  const seen = changes
  await eventually('a rename over it is seen', () => {
    writeFileSync(join(directory, 'next.json'), 'y'.repeat(++size))
    renameSync(join(directory, 'next.json'), file)
    return changes > seen
  })
})
