import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { generations, revisionOf, type Filled } from '../../src/metadata/localdb/generations.ts'

const filled: Filled = { digest: 'abc123' }
const leave = async (): Promise<Filled> => filled

t.test('before the first there is no current generation', async t => {
  t.equal(await generations(join(t.testdir(), 'not-there')).current(), undefined)
})

t.test('a generation is not current until it is filled, and then takes the place of the one before', async t => {
  const versions = generations(join(t.testdir(), 'deep', 'items'))
  const answer = await versions.replace(async path => {
    t.ok(existsSync(path))
    writeFileSync(join(path, 'data'), 'first')
    t.equal(await versions.current(), undefined)
    return filled
  })
  t.equal(answer, filled)
  const first = (await versions.current())!
  t.equal(readFileSync(join(first, 'data'), 'utf8'), 'first')
  await versions.replace(async path => {
    writeFileSync(join(path, 'data'), 'second')
    t.equal(await versions.current(), first)
    t.ok(existsSync(first))
    return filled
  })
  const second = (await versions.current())!
  t.equal(readFileSync(join(second, 'data'), 'utf8'), 'second')
  t.notOk(existsSync(first), 'the one before is removed')
})

t.test('generations that hold the same have the same revision, and others have another', async t => {
  const revisions: string[] = []
  const versions = generations(t.testdir())
  for (const digest of ['abc123', 'abc123', 'def456']) {
    await versions.replace(async () => ({ digest }))
    revisions.push(revisionOf((await versions.current())!))
  }
  t.strictSame(revisions, ['abc123', 'abc123', 'def456'])
  t.equal(revisionOf('/data/generation-without'), 'without', 'one of an older gateway has one of its own')
})

t.test('what is current is found by others, and nothing else is left', async t => {
  const directory = t.testdir()
  await generations(directory).replace(leave)
  const path = (await generations(directory).current())!
  t.ok(existsSync(path))
  t.strictSame(readdirSync(directory).sort(), ['CURRENT', basename(path)])
})

t.test('where filling fails nothing has changed', async t => {
  const directory = t.testdir()
  const versions = generations(directory)
  const failing = async (path: string): Promise<never> => {
    writeFileSync(join(path, 'data'), 'x')
    throw new Error('no room')
  }
  await t.rejects(versions.replace(failing), { message: 'no room' })
  t.strictSame(readdirSync(directory), [])
  await versions.replace(leave)
  const first = (await versions.current())!
  await t.rejects(versions.replace(failing), { message: 'no room' })
  t.equal(await versions.current(), first)
  t.strictSame(readdirSync(directory).sort(), ['CURRENT', basename(first)])
})

t.test('what dead writers left is swept, what is current or still written is not', async t => {
  const directory = t.testdir()
  const versions = generations(directory)
  await versions.replace(leave)
  const current = (await versions.current())!
  const dead = join(directory, 'generation-dead')
  mkdirSync(dead)
  await versions.replace(async path => {
    await versions.sweep()
    t.ok(existsSync(path), 'somebody writes it just now')
    throw new Error('given up')
  }).catch(() => {})
  mkdirSync(dead, { recursive: true })
  await versions.sweep()
  t.notOk(existsSync(dead))
  t.equal(await versions.current(), current)
  t.ok(existsSync(current))
})

t.test('sweeping where nothing is does nothing', async t => {
  await t.resolves(generations(join(t.testdir(), 'not-there')).sweep())
})

t.test('a second writer is refused while the first one writes', async t => {
  const versions = generations(t.testdir())
  let first = ''
  await versions.replace(async path => {
    first = path
    writeFileSync(join(path, 'data'), 'first')
    await t.rejects(versions.replace(leave), { message: /under way/ })
    return filled
  })
  t.notOk(existsSync(first), 'it has got its name')
  t.equal(readFileSync(join((await versions.current())!, 'data'), 'utf8'), 'first')
  await t.resolves(versions.replace(leave), 'and after it another may')
})

t.test('a lock that a dead process left does not hold', async t => {
  const directory = t.testdir({ LOCK: '999999999 nobody' })
  const { hostname } = await import('node:os')
  writeFileSync(join(directory, 'LOCK'), `999999999 ${hostname()}`)
  await t.resolves(generations(directory).replace(leave))
})

t.test('of many that want to write at once one writes at a time', async t => {
  for (let round = 0; round < 30; round++) {
    const directory = join(t.testdir(), String(round))
    let writing = 0
    let most = 0
    await Promise.allSettled(Array.from({ length: 8 }, async (_, i) => {
      for (let turn = 0; turn < i * (round % 7); turn++) await setImmediate()
      return generations(directory).replace(async () => {
        most = Math.max(most, ++writing)
        for (let turn = 0; turn < 20; turn++) await setImmediate()
        writing--
        return filled
      })
    }))
    if (most !== 1) return t.fail(`${most} wrote at once in round ${round}`)
  }
  t.pass('in all rounds')
})
