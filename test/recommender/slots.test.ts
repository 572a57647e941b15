import t from 'tap'
import { createSlots } from '../../src/recommender/slots.ts'
import { seededRandom } from '../support/seeded-random.ts'

t.test('a known id keeps its slot', async t => {
  const slots = createSlots(10, () => {})
  const slot = slots.take('a')
  slots.take('b')
  t.equal(slots.take('a'), slot)
  t.equal(slots.get('a'), slot)
  t.equal(slots.id(slot), 'a')
  t.equal(slots.size, 2)
  t.equal(slots.get('unknown'), undefined)
})

t.test('past the limit the id least recently used loses its slot to the new one', async t => {
  const fresh: number[] = []
  const slots = createSlots(2, slot => fresh.push(slot))
  const a = slots.take('a')
  const b = slots.take('b')
  slots.take('a')
  t.equal(slots.take('c'), b)
  t.equal(slots.get('b'), undefined)
  t.equal(slots.get('a'), a)
  t.equal(slots.id(b), 'c')
  t.strictSame(fresh, [a, b, b], 'a slot is announced each time it begins to stand for another id')
})

t.test('looking an id up does not count as using it', async t => {
  const slots = createSlots(2, () => {})
  slots.take('a')
  slots.take('b')
  slots.get('a')
  slots.take('c')
  t.equal(slots.get('a'), undefined)
  t.ok(slots.get('b') !== undefined)
})

t.test('it holds the ids last taken, whatever comes', async t => {
  const random = seededRandom(1)
  const slots = createSlots(7, () => {})
  let recent: string[] = []
  for (let i = 0; i < 2000; i++) {
    const id = `id-${random.integer(1, 15)}`
    slots.take(id)
    recent = [id, ...recent.filter(other => other !== id)].slice(0, 7)
    const taken = recent.map(other => slots.get(other))
    const right = slots.size === recent.length && new Set(taken).size === recent.length &&
      taken.every((slot, at) => slot !== undefined && slot < 7 && slots.id(slot) === recent[at])
    if (!right) t.fail(`wrong at ${i}: ${JSON.stringify({ recent, taken })}`)
  }
  t.pass('through all rounds')
})
