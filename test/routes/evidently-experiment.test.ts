import { readFileSync } from 'node:fs'
import t from 'tap'
import { startAws } from '../support/aws.ts'
import { eventually } from '../support/eventually.ts'
import { startGateway } from '../support/gateway.ts'

/** A document with the structure of the sample's, with an experiment that Evidently evaluates. */
const document = JSON.parse(readFileSync('test/fixtures/moved/sample-experiment.json', 'utf8')) as { namespaces: { garden: object } }

interface Body {
  itemList: unknown[]
  matchedExperiment?: { type: string, feature: string, details: Record<string, unknown> }
}

t.test('the sample\'s experiment document, unchanged: the calls and payloads that the sample makes, and its matchedExperiment', async t => {
  const { aws, url } = await startAws(t)
  const { garden } = document.namespaces
  // Conversions are sent to a namespace with event targets, as in the sample.
  const { app } = await startGateway(t, { ...document, namespaces: { garden: { ...garden, eventTargets: [{ type: 'embedded' }] } } }, { evidentlyEndpoint: url })
  t.notMatch(app.config.current!.warnings.join(), /evidently ended/)
  const show = async (userId: string): Promise<{ variation: unknown, body: Body }> => {
    const { headers, body } = await app.inject(`/related-items/garden/goes-with/item-1?userId=${userId}&feature=plant-page`)
    return { variation: headers['x-personalization-variation'], body: JSON.parse(body) as Body }
  }
  const evaluations = (): string[] => aws.requests.of('evidently').map(({ path }) => path).filter(path => path.startsWith('/projects'))
  await eventually('the service answers in time', async () => (await show('warm-up')).body.matchedExperiment !== undefined)
  aws.requests.forget()

  const expected = new Map<string, string>()
  for (let i = 0; i < 8; i++) {
    const userId = `user-${i}`
    await eventually(`${userId} is evaluated`, async () => (await show(userId)).body.matchedExperiment !== undefined)
    const { variation, body } = await show(userId)
    expected.set(userId, aws.features.evaluate('garden', 'plant-page', userId).variation.value === '0' ? 'pairs' : 'lookalikes')
    t.equal(variation, expected.get(userId))
    t.strictSame(body.matchedExperiment, { type: 'evidently', feature: 'plant-page', details: { experiment: 'plant-page' } })
  }
  t.equal(new Set(expected.values()).size, 2, 'both variations are served')
  t.ok(evaluations().every(path => path === '/projects/garden/evaluations/plant-page'))
  t.strictSame(aws.requests.of('evidently').find(({ path }) => path.startsWith('/projects'))!.body, { entityId: 'user-0' })
  const asked = evaluations().length
  for (const userId of expected.keys()) await show(userId)
  t.equal(evaluations().length, asked, 'an evaluation is remembered')

  const events = (): Array<{ type: string, data: unknown }> => aws.requests.of('evidently').filter(({ path }) => path === '/events/projects/garden')
    .flatMap(({ body }) => (body as { events: Array<{ type: string, data: string }> }).events).map(({ type, data }) => ({ type, data: JSON.parse(data) as unknown }))
    .filter(({ data }) => !JSON.stringify(data).includes('warm-up'))
  await eventually('the exposures are reported', () => events().length >= expected.size)
  t.strictSame(events().slice(0, expected.size), [...expected.keys()].map(userId => ({ type: 'aws.evidently.custom', data: { userDetails: { userId }, details: { cardOpened: 0.0000001 } } })))

  const conversions = [{ recommender: 'goes-with', feature: 'plant-page', metric: 'cardOpened' }, { recommender: 'goes-with', feature: 'plant-page', metric: 'cardOpened', value: 3.5 }]
  const { statusCode, body } = await app.inject({ method: 'POST', url: '/events/garden', payload: { userId: 'user-1', sessionId: 's', experimentConversions: conversions } })
  t.equal(statusCode, 200, body)
  await eventually('the conversions are reported', () => events().length >= expected.size + 2)
  t.strictSame(events().slice(expected.size), [1.0000001, 3.5].map(value => ({ type: 'aws.evidently.custom', data: { userDetails: { userId: 'user-1' }, details: { cardOpened: value } } })))
})

t.test('the sample\'s experiment document without an endpoint is evaluated here, with equal weights and a warning', async t => {
  const { aws } = await startAws(t)
  const { app } = await startGateway(t, document)
  t.match(app.config.current!.warnings.join('\n'), /evidently ended on 16 October 2025; evaluated as weighted with equal weights/)
  const variations = new Set<unknown>()
  for (let i = 0; i < 20; i++) {
    const { headers, body } = await app.inject(`/related-items/garden/goes-with/item-1?userId=user-${i}`)
    const variation = headers['x-personalization-variation']
    variations.add(variation)
    t.match(JSON.parse(body), { matchedExperiment: { type: 'evidently', feature: 'plant-page', details: { experiment: 'plant-page', variation } } })
  }
  t.strictSame([...variations].sort(), ['lookalikes', 'pairs'])
  t.strictSame(aws.requests.of('evidently'), [])
})

t.test('a service that hangs delays no request of an experiment by more than 50 ms, and the first variation answers', async t => {
  const { aws, url } = await startAws(t)
  const { app } = await startGateway(t, document, { evidentlyEndpoint: url })
  aws.behaviours.set('evidently', { failure: 'hang' })
  for (let i = 0; i < 5; i++) {
    const began = performance.now()
    const { statusCode, headers, body } = await app.inject(`/related-items/garden/goes-with/item-1?userId=user-${i}`)
    t.equal(statusCode, 200)
    t.equal(headers['x-personalization-variation'], 'pairs')
    t.notOk('matchedExperiment' in (JSON.parse(body) as object))
    t.ok(performance.now() - began < 2_000)
  }
  t.match((await app.inject('/metrics')).body, /gateway_experiment_unavailable_total\{experiment="garden\/related-items\/goes-with\/plant-page"\} 5\n/)
  t.match(JSON.parse((await app.inject('/assignments/garden/goes-with/user-1')).body), { variation: 'pairs', experiment: { why: 'unavailable' } })
})
