import t from 'tap'
import { createSequence, createTurns } from '../../src/base/turns.ts'

t.test('in each round of the event loop, one task has a turn, in the order in which they asked', async t => {
  const deferred: Array<() => void> = []
  const begin = createTurns({ now: () => 0, defer: run => { deferred.push(run) } })
  const order: string[] = []
  const task = async (name: string): Promise<void> => {
    const turn = begin()
    for (let i = 0; i < 2; i++) {
      await turn.next()
      order.push(name)
    }
  }
  const done = Promise.all(['a', 'b', 'c'].map(task))
  for (let rounds = 1; rounds <= 6; rounds++) {
    t.equal(deferred.length, 1, 'one round is scheduled, however many wait')
    deferred.shift()!()
    await new Promise(resolve => setImmediate(resolve))
    t.equal(order.length, rounds)
  }
  await done
  t.strictSame(order, ['a', 'b', 'c', 'a', 'b', 'c'])
})

t.test('a turn is over after its length, and the next one is as long', async t => {
  let time = 0
  const turn = createTurns({ now: () => time, length: 5 })()
  t.notOk(turn.over)
  time = 5
  t.ok(turn.over)
  await turn.next()
  t.notOk(turn.over)
})

t.test('tasks that begin in one round share a turn, so that a chain of short tasks does not block; each gets a quarter of one at least', async t => {
  let time = 0
  const deferred: Array<() => void> = []
  const begin = createTurns({ now: () => time, defer: run => { deferred.push(run) }, length: 4 })
  begin()
  time = 3
  const second = begin()
  t.notOk(second.over)
  time = 4
  t.ok(second.over, 'the turn of both is over')
  const small = begin()
  t.notOk(small.over, 'a small task need not wait')
  time = 5
  t.ok(small.over)
  deferred.shift()!()
  t.notOk(begin().over, 'the next round begins anew')
})

t.test('a sequence runs one task at a time, also after one has failed', async t => {
  const inSequence = createSequence()
  const order: string[] = []
  const failing = inSequence(async () => {
    order.push('a begins')
    await Promise.resolve()
    order.push('a ends')
    throw new Error('a')
  })
  const next = inSequence(async () => { order.push('b') })
  await t.rejects(failing)
  await next
  t.strictSame(order, ['a begins', 'a ends', 'b'])
})
