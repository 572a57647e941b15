import t from 'tap'
import { Interactions } from '../../src/recommender/interactions.ts'

/** Numbers from the newest back. */
function walk (newest: number, previous: (number: number) => number): number[] {
  const met: number[] = []
  for (let at = newest; at !== 0; at = previous(at)) met.push(at)
  return met
}

t.test('interactions are walked newest first by history and by user', async t => {
  const ring = new Interactions(8)
  const first = ring.append(10, 1, 0, 0)
  const second = ring.append(11, 2, first, 0)
  const third = ring.append(12, 3, second, first)
  t.strictSame(walk(third, at => ring.previousInHistory(at)), [third, second, first])
  t.strictSame(walk(third, at => ring.previousOfUser(at)), [third, first])
  t.strictSame([first, second, third].map(at => ring.item(at)), [10, 11, 12])
  t.equal(ring.weight(second), 2)
})

t.test('what was superseded stays a link', async t => {
  const ring = new Interactions(8)
  const first = ring.append(1, 1, 0, 0)
  const second = ring.append(2, 1, first, first)
  const third = ring.append(3, 1, second, second)
  ring.supersede(second)
  ring.supersede(second)
  ring.setWeight(first, -4)
  t.ok(ring.isSuperseded(second))
  t.notOk(ring.isSuperseded(first))
  t.equal(ring.item(second), 2)
  t.equal(ring.weight(first), -4)
  t.strictSame(walk(third, at => ring.previousInHistory(at)), [third, second, first])
})

t.test('the ring keeps the newest, and a walk ends where what it holds ends', async t => {
  const limit = 16
  const ring = new Interactions(limit)
  for (let n = 1; n <= 5 * limit + 3; n++) {
    t.equal(ring.append(n, n, n - 1, n > 2 ? n - 2 : 0), n)
    const kept = Array.from({ length: Math.min(n, limit) }, (_, i) => n - i)
    t.strictSame(walk(n, at => ring.previousInHistory(at)), kept)
    t.strictSame(walk(n, at => ring.previousOfUser(at)), kept.filter(at => (n - at) % 2 === 0))
    t.ok(kept.every(at => ring.isKept(at) && ring.item(at) === at && ring.weight(at) === at))
    t.notOk(ring.isKept(n - limit))
  }
  t.notOk(ring.isKept(0), 'there is no interaction 0')
})

t.test('a link to what is no longer kept is not made', async t => {
  const ring = new Interactions(4)
  const old = ring.append(1, 1, 0, 0)
  for (let i = 0; i < 4; i++) ring.append(2, 1, 0, 0)
  const newest = ring.append(3, 1, old, old)
  t.equal(ring.previousInHistory(newest), 0)
  t.equal(ring.previousOfUser(newest), 0)
})
