import t, { type Test } from 'tap'
import { createExposures, type Shown } from '../../src/inference/expose.ts'
import type { ExperimentPlan } from '../../src/plan/plan.ts'
import { createExperimentStats } from '../../src/experiments/stats.ts'
import { recommendationIds } from '../../src/experiments/recommendation-id.ts'
import { createMemoryTally } from '../../src/experiments/tally/memory.ts'
import { createTally, type Tally } from '../../src/experiments/tally/tally.ts'

const experiment: ExperimentPlan = {
  id: 'shop/recommend-items/home/test',
  namespace: 'shop',
  action: 'recommend-items',
  recommender: 'home',
  feature: 'test',
  method: 'weighted',
  variations: ['a'],
  metrics: undefined,
  attribution: 60_000_000,
  userIds: 'hashed',
  impressions: false,
  experiment: { assign: () => ({ variation: 'a', why: 'assigned', hashes: {} }), shares: undefined }
}

const shown = (userId: string, body = '{"itemList":[]}'): Shown => ({
  experiment,
  variation: 'a',
  userId,
  body: Buffer.from(body),
  etag: `"${userId}"`,
  found: { from: 'origin' } as unknown as Shown['found'],
  blended: undefined
})

function start (t: Test, wrap: (tally: Tally) => Tally = tally => tally) {
  const errors: unknown[] = []
  const tally = createTally({ store: createMemoryTally({ now: () => 0 }), onError: error => { errors.push(error) } })
  t.teardown(async () => tally.close())
  const exposures = createExposures({
    tally: wrap(tally),
    ids: recommendationIds(() => ['secret'], () => 0),
    stats: createExperimentStats(),
    targetsOf: () => undefined,
    now: () => 0,
    steady: () => 0,
    onError: error => { errors.push(error) }
  })
  const users = async (): Promise<number> => {
    await exposures.settled()
    return (await tally.read(experiment.id)).users.get('a') ?? 0
  }
  return { exposures, users, errors }
}

t.test('an exposure that cannot be read is told of, and the exposures behind it are counted', async t => {
  const { exposures, users, errors } = start(t)
  exposures.note(shown('u1'))
  exposures.note(shown('u2', '{"itemList":[{]}'))
  exposures.note(shown('u3'))
  t.equal(await users(), 2)
  t.equal(errors.length, 1)
})

t.test('an exposure that is noted just when the queue is empty does not wait for the next one', async t => {
  for (let steps = 0; steps < 12; steps++) {
    let isNoted = false
    const { exposures, users } = start(t, tally => ({
      ...tally,
      expose (...of) {
        tally.expose(...of)
        if (!isNoted) void later()
        isNoted = true
      }
    }))
    const later = async (): Promise<void> => {
      for (let i = 0; i < steps; i++) await Promise.resolve()
      exposures.note(shown('u2'))
    }
    exposures.note(shown('u1'))
    await new Promise(setImmediate)
    await new Promise(setImmediate)
    t.equal(await users(), 2, `${steps} steps later`)
  }
})
