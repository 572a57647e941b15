import t from 'tap'
import type { Action } from '../../src/origins/origin.ts'
import { originContract } from '../contracts/origin.ts'
import { pointAwsAt, startAws } from '../support/aws.ts'
import { startHttpRecommender } from '../support/http-recommender.ts'
import { modelAnswer } from '../support/model-answer.ts'
import { openOrigin, recommenderConfig, requests } from '../support/open-origin.ts'
import { hasSdkHeaders } from '../support/wire.ts'

const service = 'lambda'
const functionArn = 'arn:aws:lambda:us-east-1:123456789012:function:recommend'
const variation = { type: 'lambda', arn: functionArn }
const signal = new AbortController().signal

originContract({
  type: 'lambda',
  provider: 'Function',
  failures: { 'function-error': 'invalid-answer' },
  async open (t) {
    const { aws } = await startAws(t, { functions: { recommend: payload => modelAnswer(payload).body } })
    return {
      origin: await openOrigin(t, variation),
      expected: action => modelAnswer(requests[action]).answer,
      misbehave: failure => aws.behaviours.set(service, { failure }),
      received: () => aws.requests.of(service).length,
      reached: async count => aws.requests.reached(service, count)
    }
  }
})

const common = { version: '1.0', recommender: { path: 'home', config: recommenderConfig }, variation }
const payloads: Record<Action, object> = {
  'recommend-items': { ...common, action: 'recommend-items', userId: 'user-1', numResults: 4 },
  'related-items': { ...common, action: 'related-items', userId: '', itemId: 'item-3', numResults: 4 },
  'rerank-items': { ...common, action: 'rerank-items', userId: 'user-1', itemList: ['item-9', 'item-2', 'item-5'] },
  'predicted-ratings': { ...common, action: 'predicted-ratings', userId: 'user-1', itemList: ['item-9', 'item-2', 'item-5'] }
}

t.test('the payload of the sample, version 1.0, for each action, waited for', async t => {
  const { aws } = await startAws(t, { functions: { recommend: payload => modelAnswer(payload).body } })
  const origin = await openOrigin(t, variation)
  for (const [action, payload] of Object.entries(payloads) as Array<[Action, object]>) {
    for (const context of [undefined, { device: 'phone' }]) {
      await origin.recommend({ ...requests[action], context }, signal)
      const [request, ...more] = aws.requests.of(service)
      t.equal(more.length, 0)
      t.match(request, { method: 'POST', path: `/2015-03-31/functions/${encodeURIComponent(functionArn)}/invocations` })
      hasSdkHeaders(t, request!.headers, { 'content-type': 'application/octet-stream' })
      t.strictSame(request!.body, context === undefined ? payload : { ...payload, context }, action)
      aws.requests.forget()
    }
  }
})

t.test('a version or an alias of a function is called as such', async t => {
  const { aws } = await startAws(t, { functions: { recommend: payload => modelAnswer(payload).body } })
  const origin = await openOrigin(t, { ...variation, arn: `${functionArn}:live` })
  await origin.recommend(requests['recommend-items'], signal)
  t.match(aws.requests.of(service), [{ path: `/2015-03-31/functions/${encodeURIComponent(`${functionArn}:live`)}/invocations` }])
})

t.test('an error in a function is no answer, whatever it looks like', async t => {
  const server = await startHttpRecommender(t)
  pointAwsAt(t, server.url)
  const origin = await openOrigin(t, variation)
  for (const kind of ['Unhandled', 'Handled']) {
    server.answer(() => ({ headers: { 'x-amz-function-error': kind }, body: { itemList: [{ itemId: 'a' }] } }))
    await t.rejects(origin.recommend(requests['recommend-items'], signal), { name: 'OriginError', provider: 'Function', failure: 'invalid-answer' }, kind)
  }
})

t.test('what is no answer is refused', async t => {
  let says: unknown
  await startAws(t, { functions: { recommend: () => says } })
  const origin = await openOrigin(t, variation)
  const wrong = [null, 'text', 7, [], {}, { itemList: {} }, { itemList: [null] }, { itemList: [{}] }, { itemList: [{ itemId: '' }] }, { itemList: [{ itemId: {} }] }, { personalizedRanking: [] }]
  for (const answer of wrong) {
    says = answer
    await t.rejects(origin.recommend(requests['recommend-items'], signal), { name: 'OriginError', failure: 'invalid-answer' }, JSON.stringify(answer))
  }
  says = { itemList: ['a', { itemId: 7, score: 1 }] }
  t.strictSame((await origin.recommend(requests['recommend-items'], signal)).items, [{ itemId: 'a' }, { itemId: '7', score: 1 }], 'bare ids and numbers are ids')
})
