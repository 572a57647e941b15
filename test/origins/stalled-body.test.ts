import t from 'tap'
import { arn } from '../docker/aws-local/start.ts'
import { pointAwsAt } from '../support/aws.ts'
import { startHttpRecommender } from '../support/http-recommender.ts'
import { ask, startShop } from '../support/shop.ts'

const timeout = 100

t.test('a provider that begins an answer and does not end it is too slow, and no more', async t => {
  const server = await startHttpRecommender(t)
  pointAwsAt(t, server.url)
  server.misbehave('stall')
  const variations = {
    'personalize-campaign': { type: 'personalize-campaign', arn: arn('campaign/c') },
    'personalize-recommender': { type: 'personalize-recommender', arn: arn('recommender/r') },
    sagemaker: { type: 'sagemaker', endpointName: 'e' },
    lambda: { type: 'lambda', arn: 'arn:aws:lambda:us-east-1:123456789012:function:f' },
    http: { type: 'http', url: server.url }
  }
  const app = await startShop(t, { 'recommend-items': Object.fromEntries(Object.entries(variations).map(([name, variation]) => [name, { variations: { variation }, resilience: { timeout } }])) })
  const codes: Record<keyof typeof variations, string> = {
    'personalize-campaign': 'PersonalizeTimeout', 'personalize-recommender': 'PersonalizeTimeout', sagemaker: 'SageMakerTimeout', lambda: 'FunctionTimeout', http: 'HttpTimeout'
  }
  for (const begun of [200, 500]) {
    server.answer(() => ({ status: begun, body: { itemList: [{ itemId: 'a' }] } }))
    for (const [name, code] of Object.entries(codes)) {
      const started = performance.now()
      const { status, body } = await ask(app, `/recommend-items/shop/${name}/user-1`)
      const took = performance.now() - started
      if (begun === 200) t.match({ status, body }, { status: 504, body: { code } }, name)
      // That it failed was to be seen from the status; so is that it was too slow to say why.
      else t.ok([503, 504].includes(status), `${name}: ${status}`)
      t.ok(took < timeout + 1000, `${name}: after ${Math.round(took)} ms`)
      if (begun === 200) t.ok(took >= timeout - 1, name)
    }
  }
})

t.test('an answer of an HTTP recommender that is too large is none', async t => {
  const server = await startHttpRecommender(t)
  server.answer(() => ({ body: { itemList: [{ itemId: 'x'.repeat(5 * 1024 * 1024) }] } }))
  const app = await startShop(t, { 'recommend-items': { r: { variations: { v: { type: 'http', url: server.url } }, resilience: { retries: 1 } } } })
  t.match(await ask(app, '/recommend-items/shop/r/user-1'), { status: 502, body: { code: 'HttpInvalidAnswer' } })
  t.equal(server.received.length, 1)
})
