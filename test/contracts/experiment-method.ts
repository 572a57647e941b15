import t, { type Test } from 'tap'
import { createHolder } from '../../src/connections/scope.ts'
import { experimentIdOf, type Assignment, type Experiment, type ExperimentPlace } from '../../src/experiments/experiment.ts'
import { experimentMethods } from '../../src/experiments/registry.ts'
import type { ExperimentCounts } from '../../src/experiments/stats.ts'
import type { Resources } from '../../src/plan/resources.ts'
import { eventually } from '../support/eventually.ts'
import { testResources } from '../support/test-resources.ts'

/** The experiment that is tested: `b` is not the first variation. */
export const place: ExperimentPlace = { namespace: 'shop', action: 'recommend-items', recommender: 'home', feature: 'layout', variations: ['a', 'b'] }

/** A method, and the system behind it, if there is one. */
export interface MethodUnderTest {
  config: { method: string, [key: string]: unknown }
  resources?: Partial<Resources>
  /** Makes the system behind the method misbehave; undefined: behave normally again. Absent: there is no system. */
  misbehave?: (how?: string) => void
  /** Returns the number of evaluations that the system was asked for. */
  calls?: () => number
}

export interface ExperimentMethodContract {
  name: string
  start: (t: Test) => Promise<MethodUnderTest>
  /** The misbehaviours of the system behind the method, of which `hang` is one; empty: there is no system. */
  misbehaviours: readonly string[]
}

export interface OpenExperiment {
  experiment: Experiment
  assign: (userId: string, context?: Record<string, string>) => Promise<Assignment>
  counts: () => ExperimentCounts
  /** The messages for the log. */
  logged: string[]
  /** Closes what a configuration with the experiment holds. */
  close: () => Promise<void>
}

/** Opens an experiment as a configuration does. It closes with the test. */
export async function openExperiment (t: Test, { config, resources: more = {} }: Pick<MethodUnderTest, 'config' | 'resources'>, at: Partial<ExperimentPlace> = {}): Promise<OpenExperiment> {
  const logged: string[] = []
  const resources = { ...testResources(t.testdir(), { onError: error => { logged.push((error as Error).message) } }), ...more }
  t.teardown(resources.pool.close)
  const { scopeOf } = createHolder(resources)
  const here = { ...place, ...at }
  const experiment = await experimentMethods.get(config.method)!.open(config, here, scopeOf(here.namespace))
  return {
    experiment,
    logged,
    assign: async (userId, context) => experiment.assign({ userId, context, now: Date.now() }),
    counts: () => resources.experimentStats.of(experimentIdOf(here)),
    close: resources.pool.close
  }
}

/** The limit of an assignment, in ms, with a margin for a busy machine. */
const patience = 50 + 1_000

const users = Array.from({ length: 30 }, (_, i) => `user-${i}`)
const oddIds = ['0', 'constructor', '__proto__', 'a b', ' a', 'Zoë', '日本', '🦊', '100%', 'a,b=c', 'a/../b', 'a?b#c', 'a\r\nx-other: y', '\u0000', 'x'.repeat(256), '🦊'.repeat(128)]

/** Tests the behaviour that the gateway requires of each method of assigning variations. */
export function experimentMethodContract ({ name, start, misbehaviours }: ExperimentMethodContract): void {
  /** Opens the method, and waits until the system behind it has answered once: the first call opens connections and loads code. */
  async function open (t: Test): Promise<MethodUnderTest & OpenExperiment> {
    const started = await start(t)
    const opened = await openExperiment(t, started)
    await eventually('a first evaluation', async () => (await opened.assign('first')).why !== 'unavailable')
    return { ...started, ...opened }
  }

  t.test(`${name}: a user gets the same variation each time, also from another instance`, async t => {
    const started = await open(t)
    const other = await openExperiment(t, started)
    const isSettled = async (userId: string): Promise<void> => {
      await eventually(`${userId} is evaluated`, async () => (await started.assign(userId)).why !== 'unavailable' && (await other.assign(userId)).why !== 'unavailable')
    }
    for (const userId of users) {
      await isSettled(userId)
      t.same(await started.assign(userId), await started.assign(userId))
      t.same(await other.assign(userId), await started.assign(userId), userId)
    }
  })

  t.test(`${name}: an assignment is plain data`, async t => {
    const { assign, experiment: { shares, blended } } = await open(t)
    for (const userId of users) {
      const { variation, hashes, details = {} } = await assign(userId)
      t.ok(variation === undefined || blended !== undefined || place.variations.includes(variation), `${variation}`)
      t.strictSame(JSON.parse(JSON.stringify({ hashes, details })), { hashes, details })
      for (const hash of Object.values(hashes)) t.ok(hash > 0 && hash < 1)
    }
    if (shares === undefined) return
    t.ok(Math.abs([...shares.values()].reduce((sum, share) => sum + share, 0) - 1) < 1e-9, 'the shares sum to 1')
    for (const variation of shares.keys()) t.ok(place.variations.includes(variation))
  })

  t.test(`${name}: an id and a context of any text are taken`, async t => {
    const { assign } = await open(t)
    for (const text of oddIds) {
      t.type((await assign(text)).why, 'string', JSON.stringify(text))
      t.type((await assign('user-1', { [text]: text, device: text })).why, 'string', JSON.stringify(text))
    }
  })

  t.test(`${name}: reporting does not wait and does not throw, whatever the state of the system`, async t => {
    const { experiment: { report }, misbehave, close } = await open(t)
    const reportAll = (): void => {
      for (const userId of [...users, ...oddIds]) {
        t.equal(report?.({ kind: 'exposure', userId }), undefined)
        for (const metric of ['clicks', 'unknown', 'constructor', '__proto__']) {
          for (const value of [undefined, 0, -1.5, 1e300]) t.equal(report?.({ kind: 'conversion', userId, metric, value }), undefined)
        }
      }
    }
    reportAll()
    for (const how of misbehaviours.filter(how => how !== 'hang')) {
      misbehave!(how)
      reportAll()
    }
    await close()
    reportAll()
  })

  for (const how of misbehaviours) {
    t.test(`${name}: a system that fails (${how}) gives the first variation in time, uncounted, and recovers`, async t => {
      const { assign, misbehave, counts, logged } = await open(t)
      const before = counts().unavailable
      misbehave!(how)
      for (const userId of users.slice(0, 5)) {
        const began = performance.now()
        t.match(await assign(userId), { variation: undefined, why: 'unavailable', hashes: {} })
        t.ok(performance.now() - began < patience, 'in time')
      }
      t.equal(counts().unavailable, before + 5)
      t.ok(logged.length > 0 && logged.length < 3, 'one line in the log, and not one for each request')
      t.notMatch(logged.join(), /user-/, 'which names no user')
      misbehave!()
      await eventually('it recovers', async () => (await assign(users[0]!)).why !== 'unavailable')
    })
  }

  if (misbehaviours.length === 0) return

  t.test(`${name}: concurrent requests of a user share one call, and a remembered user needs none`, async t => {
    const { assign, calls } = await open(t)
    for (const userId of users.slice(0, 3)) {
      const before = calls!()
      const answers = await Promise.all(Array.from({ length: 20 }, async () => assign(userId)))
      t.equal(new Set(answers.map(answer => JSON.stringify(answer))).size, 1)
      t.equal(calls!(), before + 1)
      if (answers[0]!.why === 'unavailable') continue
      await assign(userId)
      t.equal(calls!(), before + 1)
    }
  })

  t.test(`${name}: the calls under way are bounded`, async t => {
    const { assign, misbehave, calls } = await open(t)
    misbehave!('hang')
    const before = calls!()
    const began = performance.now()
    const answers = await Promise.all(Array.from({ length: 2_000 }, async (_, i) => assign(`many-${i}`)))
    t.ok(answers.every(({ why }) => why === 'unavailable'))
    t.ok(performance.now() - began < patience + 1_000, 'in time')
    t.ok(calls!() - before <= 256)
  })
}
