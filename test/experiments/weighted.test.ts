import t from 'tap'
import { openWeighted, weighted } from '../../src/experiments/weighted.ts'
import { splitProbability } from '../../src/experiments/statistics/mismatch.ts'
import type { Assignment, Experiment } from '../../src/experiments/experiment.ts'
import { murmur3 } from '../../src/experiments/uniform.ts'

const weights = { a: 50, b: 30, c: 20 }
const kinds: Readonly<Record<string, (i: number) => string>> = {
  numeric: i => String(100_000 + i * 7),
  sequential: i => `user-${i}`,
  uuid: i => `${murmur3(`x${i}`).toString(16).padStart(8, '0')}-${murmur3(`y${i}`).toString(16).slice(0, 4)}-4abc-9def-${murmur3(`z${i}`).toString(16).padStart(12, '0')}`
}

function split (of: Readonly<Record<string, number>>, more: object = {}): (userId: string, context?: Record<string, string>, now?: number) => Assignment {
  const { assign } = openWeighted(new Map(Object.entries(of)), { seed: 'shop/home/layout', ...more })
  return (userId, context, now = 0) => assign({ userId, context, now }) as Assignment
}

t.test('users are split by weight, whatever their ids look like', async t => {
  const users = 100_000
  const assign = split(weights)
  for (const [kind, idOf] of Object.entries(kinds)) {
    const counts = new Map<string | undefined, number>()
    for (let i = 0; i < users; i++) {
      const { variation } = assign(idOf(i))
      counts.set(variation, (counts.get(variation) ?? 0) + 1)
    }
    const splits = Object.entries(weights).map(([name, weight]) => ({ users: counts.get(name)!, share: weight / 100 }))
    t.ok(splitProbability(splits) > 0.001, `${kind}: ${JSON.stringify(splits)}`)
  }
})

t.test('experiments are independent of each other, also those with similar names', async t => {
  const users = 60_000
  for (const [one, other] of [['shop/home/layout-1', 'shop/home/layout-2'], ['s', 'ss'], ['1', '2']] as const) {
    const [first, second] = [split(weights, { seed: one }), split(weights, { seed: other })]
    const counts = new Map<string, number>()
    for (let i = 0; i < users; i++) {
      const both = `${first(`user-${i}`).variation} ${second(`user-${i}`).variation}`
      counts.set(both, (counts.get(both) ?? 0) + 1)
    }
    const splits = Object.entries(weights).flatMap(([a, share]) => Object.entries(weights).map(([b, otherShare]) => ({ users: counts.get(`${a} ${b}`)!, share: share * otherShare / 10_000 })))
    t.ok(splitProbability(splits) > 0.01, `${one}, ${other}`)
  }
})

t.test('the order of the variations moves nobody, another variation and a changed weight only those who must move', async t => {
  const before = split(weights)
  const reordered = split({ c: 20, a: 50, b: 30 })
  const fourth = split({ ...weights, d: 25 })
  const heavier = split({ ...weights, b: 60 })
  for (let i = 0; i < 20_000; i++) {
    const id = `user-${i}`
    const was = before(id).variation
    if (reordered(id).variation !== was) t.fail(`${id} was moved by the order`)
    const now = fourth(id).variation
    if (now !== was && now !== 'd') t.fail(`${id} was moved from ${was} to ${now} by a fourth variation`)
    const then = heavier(id).variation
    if (then !== was && then !== 'b') t.fail(`${id} was moved from ${was} to ${then} by the weight of b`)
  }
})

t.test('a larger exposure adds users and moves nobody', async t => {
  const steps = [0.2, 0.5, 1].map(exposure => split(weights, { exposure }))
  const counts = [0, 0, 0]
  for (let i = 0; i < 20_000; i++) {
    let seen: string | undefined
    for (const [step, assign] of steps.entries()) {
      const { why, variation } = assign(`user-${i}`)
      if (why === 'exposure') {
        if (seen !== undefined) t.fail(`user-${i} was taken out`)
        if (variation !== undefined) t.fail(`user-${i} is outside, and got ${variation}`)
        continue
      }
      counts[step]!++
      if (seen !== undefined && variation !== seen) t.fail(`user-${i} was moved from ${seen} to ${variation}`)
      seen = variation
    }
  }
  for (const [step, share] of [0.2, 0.5, 1].entries()) t.ok(Math.abs(counts[step]! / 20_000 - share) < 0.015, `${counts[step]}`)
})

t.test('two experiments of one layer share no user where their ranges do not meet', async t => {
  const one = split(weights, { layer: { name: 'home', from: 0, to: 0.5 } })
  const other = split(weights, { seed: 'another', layer: { name: 'home', from: 0.5, to: 1 } })
  const taking = (id: string): number => [one(id).why, other(id).why].filter(why => why === 'assigned').length
  t.ok(Array.from({ length: 2_000 }, (_, i) => taking(`user-${i}`)).every(count => count === 1))
})

t.test('the audience, the time and overrides decide who takes part', async t => {
  const assign = split({ a: 1, b: 1 }, { audience: { country: ['NL', 'BE'] }, startsAt: '2026-01-01T00:00:00Z', endsAt: '2026-02-01T00:00:00+01:00', overrides: { tester: 'b' } })
  const within = Date.parse('2026-01-15T00:00:00Z')
  t.equal(assign('u', { country: 'NL' }, within).why, 'assigned')
  t.match(assign('u', { country: 'DE' }, within), { why: 'audience', variation: undefined })
  t.match(assign('u', undefined, within), { why: 'audience' })
  t.match(assign('u', { country: 'NL' }, Date.parse('2025-12-31T23:59:59Z')), { why: 'not-running', variation: undefined })
  t.match(assign('u', { country: 'NL' }, Date.parse('2026-01-31T23:00:00Z')), { why: 'not-running' })
  t.match(assign('tester', undefined, within), { why: 'override', variation: 'b' }, 'a tester sees it anywhere')
  t.match(assign('tester', undefined, 0), { why: 'not-running', variation: undefined })
  t.match(assign('toString', { country: 'NL' }, within), { why: 'assigned' })
})

t.test('a variation of weight 0 gets nobody, and the shares are those of the others', async t => {
  const experiment: Experiment = openWeighted(new Map([['a', 3], ['b', 0], ['c', 1]]), { seed: 's' })
  t.strictSame([...experiment.shares!], [['a', 0.75], ['c', 0.25]])
  const drawn = Array.from({ length: 500 }, (_, i) => (experiment.assign({ userId: `${i}`, context: undefined, now: 0 }) as Assignment).variation)
  t.strictSame([...new Set(drawn)].sort(), ['a', 'c'])
})

t.test('weights whose sum or quotient would be no number are refused', async t => {
  const refused = (weights: Record<string, number>): boolean => weighted.check!({ method: 'weighted', weights }).some(({ key }) => key === 'weights')
  for (const weight of [5e-324, 1e-7, 1e13, Number.MAX_VALUE]) t.ok(refused({ a: weight, b: 1 }), `${weight}`)
  for (const weight of [0, 1e-6, 33.3, 1e12]) t.notOk(refused({ a: weight, b: 1 }), `${weight}`)
  t.ok(refused({ a: 0, b: 0 }))
})

t.test('the hash is MurmurHash3', async t => {
  // The bytes of "ab" in UTF-16 are those of the word 0x00620061.
  t.equal(murmur3(''), 0)
  t.equal(murmur3('ab'), reference([0x61, 0, 0x62, 0]))
  t.equal(murmur3('abc'), reference([0x61, 0, 0x62, 0, 0x63, 0]))
  t.equal(murmur3('é\u{1f600}'), reference([0xe9, 0, 0x3d, 0xd8, 0x00, 0xde]))
})

/** MurmurHash3 of bytes, written from its definition with integers of any length. */
function reference (bytes: number[]): number {
  const mask = 0xffffffffn
  const rotate = (x: bigint, by: bigint): bigint => ((x << by) | (x >> (32n - by))) & mask
  let hash = 0n
  for (let i = 0; i < bytes.length; i += 4) {
    const block = bytes.slice(i, i + 4)
    let word = 0n
    for (const [at, byte] of block.entries()) word |= BigInt(byte) << BigInt(8 * at)
    hash ^= rotate(word * 0xcc9e2d51n & mask, 15n) * 0x1b873593n & mask
    if (block.length === 4) hash = rotate(hash, 13n) * 5n + 0xe6546b64n & mask
  }
  hash ^= BigInt(bytes.length)
  hash = (hash ^ hash >> 16n) * 0x85ebca6bn & mask
  hash = (hash ^ hash >> 13n) * 0xc2b2ae35n & mask
  return Number(hash ^ hash >> 16n)
}
