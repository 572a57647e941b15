import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { generations } from '../../src/metadata/generations.ts'

const leave = async (path: string): Promise<string> => path

t.test('before the first there is no current generation', async t => {
  t.equal(await generations(join(t.testdir(), 'not-there')).current(), undefined)
})

t.test('a generation is not current until it is filled, and then takes the place of the one before', async t => {
  const versions = generations(join(t.testdir(), 'deep', 'items'))
  const first = await versions.replace(async path => {
    t.ok(existsSync(path))
    t.equal(await versions.current(), undefined)
    return path
  })
  t.equal(await versions.current(), first)
  const second = await versions.replace(async path => {
    t.equal(await versions.current(), first)
    t.ok(existsSync(first))
    return path
  })
  t.equal(await versions.current(), second)
  t.notOk(existsSync(first), 'the one before is removed')
})

t.test('what is current is found by others, and nothing else is left', async t => {
  const directory = t.testdir()
  const path = await generations(directory).replace(leave)
  t.equal(await generations(directory).current(), path)
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
  const first = await versions.replace(leave)
  await t.rejects(versions.replace(failing), { message: 'no room' })
  t.equal(await versions.current(), first)
  t.strictSame(readdirSync(directory).sort(), ['CURRENT', basename(first)])
})

t.test('what dead writers left is swept, what is current or still written is not', async t => {
  const directory = t.testdir()
  const versions = generations(directory)
  const current = await versions.replace(leave)
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
  const first = await versions.replace(async path => {
    await t.rejects(versions.replace(leave), { message: /under way/ })
    return path
  })
  t.equal(await versions.current(), first)
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
      })
    }))
    if (most !== 1) return t.fail(`${most} wrote at once in round ${round}`)
  }
  t.pass('in all rounds')
})
