import { setImmediate } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createDeliveryQueue } from '../../src/delivery/queue.ts'
import type { Refusal } from '../../src/delivery/sink.ts'
import { fakeSink, parcelOf, SinkFailure, type Answer, type FakeSink, type Thing } from '../support/fake-sink.ts'
import { seededRandom, type SeededRandom } from '../support/seeded-random.ts'

const throttled: Refusal = { reason: 'too fast', retry: 'now' }
const uncertain: Refusal = { reason: 'no idea', retry: 'later' }
const refused: Refusal = { reason: 'refused', retry: 'never' }

const isPoison = ({ id }: Thing): boolean => id.endsWith('poison')

/** How long a call takes, some of its things longer than others. */
async function passTime ({ integer }: SeededRandom): Promise<void> {
  for (let turns = 1 + 20 * integer(0, 3); turns > 0; turns--) await setImmediate()
}

/** Fails as a whole now and then, also for the sake of one, and takes things one by one at times of their own. */
function oneByOne (chance: SeededRandom, take: (thing: Thing) => void): Answer {
  return async things => {
    if (chance.next() < 0.1) throw new SinkFailure({ ...chance.pick([throttled, throttled, uncertain]), away: chance.next() < 0.3 })
    if (things.some(isPoison) && chance.next() < 0.5) throw new SinkFailure({ ...refused, away: false })
    return Promise.all(things.map(async thing => {
      await passTime(chance)
      if (isPoison(thing)) return refused
      if (chance.next() < 0.3) return throttled
      if (chance.next() < 0.01) return uncertain
      take(thing)
      return undefined
    }))
  }
}

/** Takes all of a call or none. */
function allOrNone (chance: SeededRandom, take: (thing: Thing) => void): Answer {
  return async things => {
    await passTime(chance)
    if (chance.next() < 0.3) throw new SinkFailure({ ...throttled, away: chance.next() < 0.3 })
    if (chance.next() < 0.01) throw new SinkFailure({ ...uncertain, away: false })
    if (things.some(isPoison)) throw new SinkFailure({ ...refused, away: false })
    things.forEach(take)
    return things.map(() => undefined)
  }
}

function checkCalls (t: Test, sink: FakeSink): void {
  const { limits, atomic, groupOf, calls, mostUnderWay } = sink
  t.ok(mostUnderWay > 1 && mostUnderWay <= limits.calls, `${mostUnderWay} calls at once, of ${limits.calls}`)
  t.ok(calls.every(({ length }) => length > 0 && length <= limits.parcels), 'no more in a call than it takes')
  t.ok(calls.some(({ length }) => length > 1), 'several in a call')
  t.ok(calls.every(things => things.length === 1 || things.reduce((sum, { size }) => sum + size, 0) <= limits.bytes), 'nor more bytes')
  if (!atomic) t.ok(calls.every(things => new Set(things.map(({ owner }) => owner)).size === things.length), 'never two of one owner')
  if (groupOf !== undefined) t.ok(calls.every(things => new Set(things.map(groupOf)).size === 1), 'one group in a call')
}

async function assail (t: Test, kind: { atomic: boolean, grouped: boolean }, seed: number): Promise<void> {
  const chance = seededRandom(seed)
  const arrived = new Map<string, string[]>()
  const take = ({ id, owner }: Thing): void => { arrived.set(owner, [...arrived.get(owner) ?? [], id]) }
  const sink = fakeSink({
    atomic: kind.atomic,
    answer: (kind.atomic ? allOrNone : oneByOne)(chance, take),
    ...(kind.grouped ? { groupOf: ({ owner, group }) => `${owner} ${group}` } : {})
  })
  const timers = (): number => process.getActiveResourcesInfo().filter(type => type === 'Timeout').length
  const timersBefore = timers()
  let retried = 0
  const queue = createDeliveryQueue(sink, { flushAge: 2, patience: 30_000, random: () => 0.02, onRetry (count) { retried += count } })
  const sent: Array<{ id: string, owner: string, refusal: Refusal | undefined }> = []

  /** Brings what is of one owner, now and then without waiting for what went before. */
  async function bring (owner: string): Promise<void> {
    const underWay: Array<Promise<void>> = []
    for (let n = 0; n < 60;) {
      const parcels = Array.from({ length: chance.integer(1, 5) }, () => parcelOf({
        id: `${owner} ${String(n++).padStart(3, '0')}${chance.next() < 0.03 ? ' poison' : ''}`,
        owner,
        group: chance.pick(['a', 'a', 'b']),
        size: chance.next() < 0.01 ? 2_000 : chance.integer(1, 300)
      }))
      const told = queue.deliver(parcels).then(refusals => {
        sent.push(...parcels.map(({ value: { id } }, i) => ({ id, owner, refusal: refusals[i] })))
      })
      underWay.push(told)
      if (chance.next() < 0.5) await told
    }
    await Promise.all(underWay)
  }

  await Promise.all(Array.from({ length: 50 }, async (_, i) => bring(`owner-${i}`)))
  checkCalls(t, sink)
  const counts = new Map<string, number>()
  for (const id of [...arrived.values()].flat()) counts.set(id, (counts.get(id) ?? 0) + 1)
  t.strictSame(sent.filter(({ id, refusal }) => (counts.get(id) ?? 0) !== (refusal === undefined ? 1 : 0)), [], 'each is there once, or its caller was told')
  t.ok(sent.length >= 3_000)
  t.strictSame([...arrived.values()].filter(ids => ids.some((id, i) => i > 0 && id < ids[i - 1]!)), [], 'those of each owner in their order')
  t.strictSame(sent.filter(({ id, refusal }) => id.endsWith('poison') && (refusal === undefined || refusal.retry === 'now')), [], 'what cannot be taken is told of')
  t.strictSame(sent.filter(({ id, refusal }) => !id.endsWith('poison') && refusal?.retry === 'never'), [], 'and nothing is refused for its sake')
  t.ok(counts.size > sent.length * 0.8, `${counts.size} of ${sent.length} arrived`)
  t.ok(retried > 100, `${retried} retries`)
  t.strictSame({ depth: queue.depth, oldest: queue.oldest, full: queue.full }, { depth: 0, oldest: 0, full: false })
  await queue.drain()
  t.equal(timers(), timersBefore, 'no timer is left')
}

for (const [atomic, grouped] of [[false, false], [true, false], [true, true]] as const) {
  t.test(`nothing is lost or comes twice, and order is kept: ${atomic ? 'all or none' : 'one by one'}${grouped ? ', in groups' : ''}`, async t => {
    for (const seed of [1, 2, 3]) await t.test(`seed ${seed}`, async t => assail(t, { atomic, grouped }, seed))
  })
}
