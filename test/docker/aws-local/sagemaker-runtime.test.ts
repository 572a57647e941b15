import { InvokeEndpointCommand, SageMakerRuntimeClient, type InvokeEndpointCommandInput } from '@aws-sdk/client-sagemaker-runtime'
import t from 'tap'
import { start } from './start.ts'

const { config } = await start(t, {
  endpoints: {
    echo: payload => ({ said: payload }),
    crash: () => { throw new Error('out of memory') }
  }
})
const client = new SageMakerRuntimeClient(config)
t.teardown(() => client.destroy())

async function invoke (payload: unknown, more: Partial<InvokeEndpointCommandInput> = {}): Promise<{ answer: Record<string, unknown>, variant: string | undefined }> {
  const body = typeof payload === 'string' ? payload : JSON.stringify(payload)
  const { Body, InvokedProductionVariant } = await client.send(new InvokeEndpointCommand({ EndpointName: 'model', ContentType: 'application/json', Body: body, ...more }))
  return { answer: JSON.parse(Body.transformToString()) as Record<string, unknown>, variant: InvokedProductionVariant }
}

t.test('answers payloads of version 1.0', async t => {
  const items = await invoke({ version: '1.0', action: 'recommend-items', userId: 'user-1', numResults: 3 })
  t.match(items.answer, { itemList: [{ itemId: String, score: Number }, {}, {}] })
  t.equal(items.variant, 'AllTraffic')
  const related = await invoke({ version: '1.0', action: 'related-items', itemId: 'item-42', userId: '', numResults: 3 })
  t.match(related.answer, { itemList: [{}, {}, {}] })
  const ranked = await invoke({ version: '1.0', action: 'rerank-items', userId: 'user-1', itemList: ['item-1', 'item-2'] })
  t.match(ranked.answer, { personalizedRanking: [{}, {}] })
})

t.test('rates pairs as Object2Vec does', async t => {
  const { answer } = await invoke({ instances: [{ in0: ['user-1'], in1: ['item-9'] }, { in0: [4], in1: [2] }] })
  t.match(answer, { predictions: [{ scores: [Number] }, { scores: [1] }] })
})

t.test('names the variant that was asked for', async t => {
  t.equal((await invoke({ instances: [{ in0: ['u'], in1: ['i'] }] }, { TargetVariant: 'blue' })).variant, 'blue')
})

t.test('has endpoints of one\'s own', async t => {
  t.strictSame((await invoke('1,2', { EndpointName: 'echo', ContentType: 'text/csv' })).answer, { said: '1,2' })
  await t.rejects(invoke({}, { EndpointName: 'crash' }), { name: 'ModelError', OriginalStatusCode: 400, OriginalMessage: 'out of memory' })
})

t.test('a model does not understand everything', async t => {
  await t.rejects(invoke({ version: '2.0' }), { name: 'ModelError', $metadata: { httpStatusCode: 424 }, OriginalStatusCode: 400, LogStreamArn: /^arn:aws:logs/ })
  await t.rejects(invoke({}, { EndpointName: '-' }), { name: 'ValidationError', $metadata: { httpStatusCode: 400 } })
})
