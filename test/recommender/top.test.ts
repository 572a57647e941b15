import t from 'tap'
import { topPositions } from '../../src/recommender/top.ts'
import { seededRandom } from '../support/seeded-random.ts'

function sorted (values: Float64Array, length: number, k: number): number[] {
  return Array.from({ length }, (_, i) => i).sort((a, b) => values[b]! - values[a]! || a - b).slice(0, k)
}

t.test('it agrees with sorting, also among equal values', async t => {
  const random = seededRandom(11)
  for (let round = 0; round < 500; round++) {
    const size = random.integer(0, 60)
    const different = random.pick([1, 2, 5, 1000])
    const values = Float64Array.from({ length: size + 5 }, () => random.integer(-different, different) / 3)
    const k = random.integer(0, size + 3)
    const [found, expected] = [[...topPositions(values, size, k)], sorted(values, size, k)]
    if (found.join() !== expected.join()) t.strictSame(found, expected)
  }
  t.pass('in all rounds')
})

t.test('values past the length do not count', async t => {
  t.strictSame([...topPositions(Float64Array.of(1, 2, 99), 2, 5)], [1, 0])
})

t.test('of nothing, or none asked, there is none', async t => {
  t.strictSame([...topPositions(new Float64Array(0), 0, 5)], [])
  t.strictSame([...topPositions(Float64Array.of(1), 1, 0)], [])
})
