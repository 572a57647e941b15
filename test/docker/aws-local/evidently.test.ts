import {
  BatchEvaluateFeatureCommand, EvaluateFeatureCommand, EvidentlyClient, PutProjectEventsCommand, type EvaluateFeatureCommandOutput,
  type EventType
} from '@aws-sdk/client-evidently'
import t from 'tap'
import { start } from './start.ts'

const { aws, config } = await start(t)
const client = new EvidentlyClient({ ...config, disableHostPrefix: true })
t.teardown(() => client.destroy())

const evaluate = async (feature: string, entityId: string, evaluationContext?: string): Promise<EvaluateFeatureCommandOutput> =>
  client.send(new EvaluateFeatureCommand({ project: 'store', feature, entityId, evaluationContext }))

t.test('splits the users of any feature in two, the same each time', async t => {
  const answers = await Promise.all(Array.from({ length: 40 }, async (_, i) => evaluate('home', `user-${i}`)))
  t.strictSame(new Set(answers.map(({ value }) => value?.stringValue)), new Set(['0', '1']))
  t.match(answers[0], { reason: 'EXPERIMENT_RULE_MATCH', details: '{"experiment":"home"}', variation: /^Variation[12]$/ })
  t.same((await evaluate('home', 'user-0', '{"device":"mobile"}')).variation, answers[0]!.variation)
})

t.test('splits by weight where it was told to', async t => {
  aws.features.set('store', 'weighted', { experiment: 'e', variations: [{ name: 'none', value: 1, weight: 0 }, { name: 'all', value: 2.5 }] })
  t.match(await evaluate('weighted', 'user-1'), { variation: 'all', value: { doubleValue: 2.5 }, details: '{"experiment":"e"}' })
})

t.test('gives everybody the first variation where there is no experiment', async t => {
  aws.features.set('store', 'flag', { variations: [{ name: 'on', value: true }, { name: 'off', value: false }] })
  t.match(await evaluate('flag', 'user-1'), { variation: 'on', value: { boolValue: true }, reason: 'DEFAULT' })
})

t.test('evaluates several at once', async t => {
  const requests = ['user-1', 'user-2'].map(entityId => ({ feature: 'home', entityId }))
  const { results } = await client.send(new BatchEvaluateFeatureCommand({ project: 'store', requests }))
  t.match(results, [{ project: 'store', feature: 'home', entityId: 'user-1', variation: (await evaluate('home', 'user-1')).variation! }, { entityId: 'user-2' }])
})

t.test('takes events, apart from those of Personalize', async t => {
  const event = { type: 'aws.evidently.custom' as EventType, timestamp: new Date(), data: '{"userDetails":{"userId":"user-1"},"details":{"clicks":1}}' }
  const put = async (events: Array<typeof event>): Promise<unknown> => client.send(new PutProjectEventsCommand({ project: 'store', events }))
  t.match(await put([event, event]), { failedEventCount: 0, eventResults: [{ eventId: String }, { eventId: String }] })
  t.match(aws.requests.of('evidently').at(-1), { path: '/events/projects/store', body: { events: [{ data: event.data }] } })
  t.strictSame(aws.requests.of('personalize-events'), [])
  const refusal = { name: 'ValidationException', $metadata: { httpStatusCode: 400 } }
  await t.rejects(put(Array.from({ length: 51 }, () => event)), refusal)
  await t.rejects(put([{ ...event, data: 'clicks' }]), refusal)
  await t.rejects(evaluate('home', 'user-1', 'mobile'), refusal)
})
