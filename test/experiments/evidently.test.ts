import t, { type Test } from 'tap'
import type { AwsLocal } from '../../docker/aws-local/app.ts'
import type { Behaviour } from '../../docker/aws-local/behaviour.ts'
import { isExposed } from '../../src/experiments/experiment.ts'
import { experimentMethodContract, openExperiment, type OpenExperiment } from '../contracts/experiment-method.ts'
import { startAws } from '../support/aws.ts'
import { eventually } from '../support/eventually.ts'
import { listen } from '../support/listen.ts'
import { createServer, type ServerResponse } from 'node:http'
import { withEnvironment } from '../support/environment.ts'

const metrics = {
  clicks: { trackExposures: true, entityIdKey: 'userDetails.userId', valueKey: 'details.clicks' },
  revenue: { entityIdKey: 'userDetails.userId', valueKey: 'details.money.revenue' },
  silent: { trackExposures: false, entityIdKey: 'user', valueKey: 'value' },
  ctr: { event: 'click' }
}
const config = { method: 'evidently', project: 'store', metrics }

experimentMethodContract({
  name: 'evidently with an endpoint',
  misbehaviours: ['hang', 'reset', 'html-502', 'empty-503', 'truncated-json', 'wrong-shape', '404', '429', '500'],
  async start (t) {
    const { aws, url } = await startAws(t)
    return {
      config,
      resources: { evidentlyEndpoint: url },
      misbehave (how) {
        if (how === undefined) aws.behaviours.reset('evidently')
        else aws.behaviours.set('evidently', { failure: how } as Behaviour)
      },
      calls: () => aws.requests.of('evidently').filter(({ path }) => path.startsWith('/projects/')).length
    }
  }
})

interface Started extends OpenExperiment {
  aws: AwsLocal
}

async function start (t: Test, variations = ['a', 'b', 'c'], feature = 'layout'): Promise<Started> {
  const { aws, url } = await startAws(t)
  const opened = await openExperiment(t, { config, resources: { evidentlyEndpoint: url } }, { variations, feature })
  return { aws, ...opened }
}

/** Returns the assignment that the service gives. The first call opens connections and loads code, so that it may come too late. */
async function assigned ({ assign, logged }: OpenExperiment, userId: string): ReturnType<OpenExperiment['assign']> {
  await eventually(`${userId} is evaluated`, async () => (await assign(userId)).why !== 'unavailable' || logged.some(line => line.includes('names no variation')))
  return assign(userId)
}

t.test('a value names a variation, or its place in the document', async t => {
  const names = ['zebra', 'b', '7']
  for (const [value, variation] of [['b', 'b'], ['0', 'zebra'], ['2', '7'], ['7', '7'], [0, 'zebra'], [1, 'b'], ['01', 'b']] as const) {
    const started = await start(t, names)
    started.aws.features.set('store', 'layout', { experiment: 'e', variations: [{ name: 'V', value }] })
    t.strictSame(await assigned(started, 'u'), { variation, why: 'assigned', hashes: {}, details: { experiment: 'e' } }, JSON.stringify(value))
  }
  for (const value of ['d', '3', '-1', '1.5', '1e0', ' 1', 'constructor', 3, -1, 1.5, true]) {
    const started = await start(t, names)
    started.aws.features.set('store', 'layout', { experiment: 'e', variations: [{ name: 'V', value }] })
    t.match(await assigned(started, 'u'), { variation: undefined, why: 'unavailable' }, JSON.stringify(value))
    t.ok(started.counts().unavailable > 0)
  }
})

t.test('who is in no experiment of the service is served its variation, and does not count', async t => {
  const started = await start(t)
  started.aws.features.set('store', 'layout', { variations: [{ name: 'V', value: 'c' }] })
  const assignment = await assigned(started, 'u')
  t.match(assignment, { variation: 'c', why: 'not-in-experiment' })
  t.notOk(isExposed(assignment))
})

t.test('the reasons and details of the service decide on what counts', async t => {
  for (const [reason, details, expected] of [
    ['EXPERIMENT_RULE_MATCH', '{"experiment":"e","salt":{"n":[1]}}', { why: 'assigned', details: { experiment: 'e', salt: { n: [1] } } }],
    ['EXPERIMENT_RULE_MATCH', 'no JSON', { why: 'assigned', details: undefined }],
    ['EXPERIMENT_RULE_MATCH', '[]', { why: 'assigned', details: undefined }],
    ['LAUNCH_RULE_MATCH', '{}', { why: 'not-in-experiment' }],
    ['ENTITY_OVERRIDES_MATCH', '{}', { why: 'override' }],
    ['DEFAULT', '{}', { why: 'not-in-experiment' }]
  ] as const) {
    withEnvironment(t, { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b', AWS_REGION: 'eu-west-1' })
    const server = createServer((request, response: ServerResponse) => {
      request.resume().on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ variation: 'V', value: { stringValue: 'b' }, reason, details })))
    })
    const opened = await openExperiment(t, { config, resources: { evidentlyEndpoint: await listen(t, server) } })
    t.match(await assigned(opened, 'u'), { variation: 'b', ...expected }, `${reason} ${details}`)
  }
})

t.test('the sample\'s document: EvaluateFeature and PutProjectEvents as the sample calls them', async t => {
  const started = await start(t, ['a', 'b'])
  const { aws, experiment } = started
  const assignment = await assigned(started, 'user/1 é')
  t.match(assignment, { why: 'assigned', details: { experiment: 'layout' } })
  const [evaluation] = aws.requests.of('evidently')
  t.match(evaluation, { method: 'POST', path: '/projects/store/evaluations/layout' })
  t.strictSame(evaluation!.body, { entityId: 'user/1 é' })
  aws.requests.forget()
  const began = Date.now() / 1000
  experiment.report!({ kind: 'exposure', userId: 'user/1 é' })
  experiment.report!({ kind: 'conversion', userId: 'user/1 é', metric: 'clicks', value: undefined })
  experiment.report!({ kind: 'conversion', userId: 'user/1 é', metric: 'revenue', value: 12.5 })
  experiment.report!({ kind: 'conversion', userId: 'user/1 é', metric: 'silent', value: 0 })
  for (const metric of ['ctr', 'unknown']) experiment.report!({ kind: 'conversion', userId: 'user/1 é', metric, value: 1 })
  const [put] = await aws.requests.reached('evidently', 1)
  t.match(put, { method: 'POST', path: '/events/projects/store' })
  const { events } = put!.body as { events: Array<{ type: string, timestamp: number, data: string }> }
  t.strictSame(events.map(({ data }) => JSON.parse(data) as object), [
    { userDetails: { userId: 'user/1 é' }, details: { clicks: 0.0000001 } },
    { userDetails: { userId: 'user/1 é' }, details: { money: { revenue: 0.0000001 } } },
    { userDetails: { userId: 'user/1 é' }, details: { clicks: 1.0000001 } },
    { userDetails: { userId: 'user/1 é' }, details: { money: { revenue: 12.5 } } },
    { user: 'user/1 é', value: 0 }
  ])
  for (const { type, timestamp } of events) {
    t.equal(type, 'aws.evidently.custom')
    t.ok(timestamp > began - 1 && timestamp < Date.now() / 1000 + 1, 'in epoch seconds')
  }
  t.equal(started.counts().unreported, 0)
})

t.test('an experiment without an endpoint splits users equally, and says which part of the experiment a user is in', async t => {
  const { assign, experiment, logged } = await openExperiment(t, { config }, { variations: ['a', 'b', 'c'] })
  t.strictSame(experiment.shares, new Map([['a', 1 / 3], ['b', 1 / 3], ['c', 1 / 3]]))
  t.equal(experiment.report, undefined)
  const counts = new Map<string | undefined, number>()
  for (let i = 0; i < 3_000; i++) {
    const { variation, why, details } = await assign(`user-${i}`)
    if (why !== 'assigned') t.fail(why)
    if (i === 0) t.strictSame(details, { experiment: 'layout', variation })
    counts.set(variation, (counts.get(variation) ?? 0) + 1)
  }
  for (const count of counts.values()) t.ok(count > 850 && count < 1_150, `${count} of 3000`)
  t.strictSame(logged, [])
})
