import t, { type Test } from 'tap'
import { openLivePlan } from '../../src/plan/live-plan.ts'
import { ConfigError } from '../../src/config/parse.ts'
import type { Plan } from '../../src/plan/plan.ts'
import { eventually } from '../support/eventually.ts'
import { embeddedDocument } from '../support/config-documents.ts'
import { memorySource } from '../support/memory-source.ts'
import { testResources } from '../support/test-resources.ts'

const version = (version: string) => ({ ...embeddedDocument(), version })

async function open (t: Test, document: unknown = version('1')) {
  let now = 0
  const resources = testResources(t.testdir(), { now: () => now })
  t.teardown(resources.close)
  const source = memorySource(document)
  const loaded: Plan[] = []
  const refused: unknown[] = []
  const live = openLivePlan(source, resources, { onLoaded: plan => loaded.push(plan), onRefused: error => refused.push(error) })
  t.teardown(live.close)
  await live.loaded
  return {
    live,
    source,
    resources,
    loaded,
    refused,
    /** Changes the document and waits until that had its effect. */
    change: async (document: unknown, at: number): Promise<void> => {
      now = at
      const before = loaded.length + refused.length
      source.change(document)
      await eventually('the change is taken or refused', () => loaded.length + refused.length > before)
    }
  }
}

t.test('the first document serves at once', async t => {
  const { live, loaded } = await open(t)
  t.equal(live.plan.version, '1')
  t.strictSame(live.status, { source: 'a document in memory', version: '1', loadedAt: '1970-01-01T00:00:00.000Z', reloads: { succeeded: 0, failed: 0 } })
  t.equal(loaded.length, 1)
})

t.test('a first document that is bad, or cannot be read, is an error', async t => {
  await t.rejects(open(t, {}), ConfigError)
  await t.rejects(open(t, '{'), ConfigError)
  await t.rejects(open(t, new Error('no such file')), { name: 'ConfigError', message: /memory.*\n.*cannot be read/ })
})

t.test('a good document takes over', async t => {
  const { live, change, loaded } = await open(t)
  const before = live.plan
  await change(version('2'), 1000)
  t.equal(live.plan.version, '2')
  t.equal(before.version, '1', 'a request under way keeps the plan it read')
  t.ok(live.plan.generation > before.generation)
  t.match(live.status, { version: '2', loadedAt: '1970-01-01T00:00:01.000Z', reloads: { succeeded: 1, failed: 0 } })
  t.equal(loaded.at(-1), live.plan)
})

t.test('a document without a version leaves none behind', async t => {
  const { live, change } = await open(t)
  await change({ namespaces: {} }, 1)
  t.equal(live.status.version, undefined)
})

for (const [what, bad] of Object.entries({ 'with mistakes': { namespaces: { n: { surprise: 1 } } }, 'that is not JSON': '{', 'that cannot be read': new Error('gone') })) {
  t.test(`a document ${what} is refused, the one before serves on, and the next good one takes over`, async t => {
    const { live, change, refused, resources } = await open(t)
    const { plan } = live
    const { held } = resources
    await change(bad, 2000)
    t.equal(live.plan, plan)
    t.equal(refused.length, 1)
    t.match(live.status, { version: '1', error: { at: '1970-01-01T00:00:02.000Z', message: /./ }, reloads: { succeeded: 0, failed: 1 } })
    t.equal(resources.held, held)
    await change(version('3'), 3000)
    t.equal(live.plan.version, '3')
    t.equal(live.status.error, undefined)
    t.strictSame(live.status.reloads, { succeeded: 1, failed: 1 })
  })
}

t.test('going back to the document that serves recovers as well', async t => {
  const { live, change, source } = await open(t)
  const { plan } = live
  await change('{', 1)
  t.ok(live.status.error)
  source.change(version('1'))
  await eventually('the error is gone', () => live.status.error === undefined)
  t.equal(live.plan, plan)
})

t.test('the same document again changes nothing', async t => {
  const { live, source, change, loaded } = await open(t)
  source.change(version('1'))
  await change(version('2'), 1)
  t.equal(loaded.length, 2)
  t.equal(live.status.reloads.succeeded, 1)
})

t.test('of many changes at once the last one serves', async t => {
  const { live, source } = await open(t)
  for (let i = 2; i <= 6; i++) source.change(version(String(i)))
  await eventually('the last is served', () => live.plan.version === '6')
})

t.test('a plan that retires releases what it held, and so does closing', async t => {
  const { live, resources, change, source } = await open(t)
  const { held } = resources
  t.ok(held > 0)
  await change(version('2'), 1)
  t.equal(resources.held, held)
  await change({ namespaces: {} }, 2)
  t.equal(resources.held, 0)
  await change(version('3'), 3)
  await live.close()
  t.equal(resources.held, 0)
  t.notOk(source.watched)
})

t.test('closing while a new document is being loaded leaves nothing held', async t => {
  const { live, resources, source } = await open(t)
  source.change(version('2'))
  await live.close()
  t.equal(resources.held, 0)
})

t.test('until the first document is loaded there is no plan, and requests are told to come again', async t => {
  const resources = testResources(t.testdir())
  t.teardown(resources.close)
  const live = openLivePlan(memorySource(version('1')), resources, { onLoaded: () => {}, onRefused: () => {} })
  t.teardown(live.close)
  t.throws(() => live.plan, { message: 'the gateway is starting' })
  await live.loaded
  t.equal(live.plan.version, '1')
})

t.test('a change while the first document is being loaded is not missed', async t => {
  const resources = testResources(t.testdir())
  t.teardown(resources.close)
  const source = memorySource(version('1'))
  const live = openLivePlan(source, resources, { onLoaded: () => {}, onRefused: () => {} })
  t.teardown(live.close)
  source.change(version('2'))
  await live.loaded
  await eventually('the change is served', () => live.plan.version === '2')
})
