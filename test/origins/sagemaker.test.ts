import t, { type Test } from 'tap'
import type { AwsLocal } from '../../docker/aws-local/app.ts'
import type { Action } from '../../src/origins/origin.ts'
import { originContract } from '../contracts/origin.ts'
import { pointAwsAt, startAws } from '../support/aws.ts'
import { startHttpRecommender } from '../support/http-recommender.ts'
import { openOrigin, recommenderConfig, requests } from '../support/open-origin.ts'
import { modelAnswer } from '../support/model-answer.ts'
import { hasSdkHeaders } from '../support/wire.ts'

const service = 'sagemaker-runtime'
const variation = { type: 'sagemaker', endpointName: 'ranker-1' }
const signal = new AbortController().signal

originContract({
  type: 'sagemaker',
  provider: 'SageMaker',
  // An endpoint that is not there is a ValidationError with status 400, as is a payload that the service does not take. Both come
  // of the configuration: what is sent, the gateway has made.
  failures: { 400: 'refused', 404: 'refused', 'model-error': 'unavailable' },
  async open (t) {
    const { aws } = await startAws(t, { endpoints: { 'ranker-1': payload => modelAnswer(payload).body } })
    return {
      origin: await openOrigin(t, variation),
      expected: action => modelAnswer(requests[action]).answer,
      misbehave: failure => aws.behaviours.set(service, { failure }),
      received: () => aws.requests.of(service).length,
      reached: async count => aws.requests.reached(service, count)
    }
  }
})

/** The one request that the service received. */
function sent (t: Test, aws: AwsLocal, headers: Record<string, string> = {}): unknown {
  const [request, ...more] = aws.requests.of(service)
  t.equal(more.length, 0)
  t.match(request, { method: 'POST', path: '/endpoints/ranker-1/invocations' })
  hasSdkHeaders(t, request!.headers, { 'content-type': 'application/json', accept: 'application/json', ...headers })
  aws.requests.forget()
  return request!.body
}

const common = { version: '1.0', recommender: { path: 'home', config: recommenderConfig }, variation }
const payloads: Record<Action, object> = {
  'recommend-items': { ...common, action: 'recommend-items', userId: 'user-1', numResults: 4 },
  'related-items': { ...common, action: 'related-items', userId: '', itemId: 'item-3', numResults: 4 },
  'rerank-items': { ...common, action: 'rerank-items', userId: 'user-1', itemList: ['item-9', 'item-2', 'item-5'] },
  'predicted-ratings': { ...common, action: 'predicted-ratings', userId: 'user-1', itemList: ['item-9', 'item-2', 'item-5'] }
}

t.test('the payload of the sample, version 1.0, for each action', async t => {
  const { aws } = await startAws(t, { endpoints: { 'ranker-1': payload => modelAnswer(payload).body } })
  const origin = await openOrigin(t, variation)
  for (const [action, payload] of Object.entries(payloads) as Array<[Action, object]>) {
    await origin.recommend(requests[action], signal)
    t.strictSame(sent(t, aws), payload, action)
    await origin.recommend({ ...requests[action], context: { device: 'phone' } }, signal)
    t.strictSame(sent(t, aws), { ...payload, context: { device: 'phone' } }, `${action} with context`)
  }
})

t.test('the sample\'s own models answer, through the model that the payload is for', async t => {
  await startAws(t)
  const origin = await openOrigin(t, variation)
  const { items } = await origin.recommend(requests['rerank-items'], signal)
  t.strictSame(items.map(({ itemId }) => itemId).sort(), ['item-2', 'item-5', 'item-9'])
})

t.test('content type, accept, target variant and inference component go along', async t => {
  const { aws } = await startAws(t, { endpoints: { 'ranker-1': payload => modelAnswer(payload).body } })
  const origin = await openOrigin(t, { ...variation, contentType: 'application/json; v=2', accept: 'application/jsonlines', targetVariant: 'green', inferenceComponent: 'part-1' })
  await origin.recommend(requests['recommend-items'], signal)
  sent(t, aws, {
    'content-type': 'application/json; v=2',
    accept: 'application/jsonlines',
    'x-amzn-sagemaker-target-variant': 'green',
    'x-amzn-sagemaker-inference-component': 'part-1'
  })
})

t.test('a mapped request is the body, text as it is and all else as JSON', async t => {
  const { aws } = await startAws(t, { endpoints: { 'ranker-1': () => ({ itemList: [] }) } })
  for (const [request, body] of [['userId & "," & $string(numResults)', 'user-1,4'], ['{"inputs": userId, "k": numResults}', { inputs: 'user-1', k: 4 }]] as const) {
    const origin = await openOrigin(t, { ...variation, request, contentType: 'text/csv' })
    await origin.recommend(requests['recommend-items'], signal)
    t.strictSame(sent(t, aws, { 'content-type': 'text/csv' }), body)
  }
})

t.test('what a model answers with an error of its own follows the status that it gave', async t => {
  const server = await startHttpRecommender(t)
  pointAwsAt(t, server.url)
  const origin = await openOrigin(t, variation)
  for (const [status, failure] of [[400, 'refused'], [404, 'refused'], [429, 'throttled'], [500, 'unavailable'], [503, 'unavailable'], [504, 'timeout']] as const) {
    const headers = { 'content-type': 'application/json', 'x-amzn-errortype': 'ModelError' }
    server.answer(() => ({ status: 424, headers, body: { Message: 'the model says no', OriginalStatusCode: status, OriginalMessage: 'no' } }))
    await t.rejects(origin.recommend(requests['recommend-items'], signal), { name: 'OriginError', provider: 'SageMaker', failure }, `${status}`)
  }
  for (const [status, name, failure] of [[429, 'ModelNotReadyException', 'throttled'], [530, 'InternalDependencyException', 'unavailable'], [500, 'InternalFailure', 'unavailable']] as const) {
    server.answer(() => ({ status, headers: { 'content-type': 'application/json', 'x-amzn-errortype': name }, body: { Message: 'no' } }))
    await t.rejects(origin.recommend(requests['recommend-items'], signal), { name: 'OriginError', provider: 'SageMaker', failure }, name)
  }
})
