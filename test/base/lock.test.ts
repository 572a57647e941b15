import { existsSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { isLocked, LockedError, withLock } from '../../src/base/lock.ts'

/** No process has it: it is above what the system gives. */
const deadPid = 2 ** 30

t.test('one holds a lock at a time, and it is free afterwards', async t => {
  const dir = t.testdir()
  const file = join(dir, 'LOCK')
  await withLock(file, async () => {
    t.ok(await isLocked(file))
    await t.rejects(withLock(file, async () => t.fail('two hold it')), LockedError)
  })
  t.strictSame(readdirSync(dir), [])
  await t.rejects(withLock(file, async () => { throw new Error('the task fails') }), { message: 'the task fails' })
  t.notOk(existsSync(file))
})

t.test('of many that find a lock left behind one gets it', async t => {
  for (let round = 0; round < 20; round++) {
    const dir = t.testdir()
    const file = join(dir, 'LOCK')
    writeFileSync(file, `${deadPid} elsewhere`)
    utimesSync(file, new Date(0), new Date(0))
    let holders = 0
    let most = 0
    const results = await Promise.allSettled(Array.from({ length: 8 }, async () => withLock(file, async () => {
      most = Math.max(most, ++holders)
      await new Promise(resolve => { setImmediate(resolve) })
      holders--
    })))
    t.equal(most, 1)
    t.ok(results.some(({ status }) => status === 'fulfilled'))
    t.strictSame(readdirSync(dir), [])
  }
})

t.test('a lock from the future, left from before a clock was stepped back, is left behind', async t => {
  const file = join(t.testdir(), 'LOCK')
  for (const [ahead, isHeld] of [[60_000, true], [3_600_000, false]] as const) {
    writeFileSync(file, `${deadPid} elsewhere`)
    utimesSync(file, new Date(Date.now() + ahead), new Date(Date.now() + ahead))
    t.equal(await isLocked(file), isHeld)
  }
  t.equal(await withLock(file, async () => 'done'), 'done')
})
