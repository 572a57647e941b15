import t from 'tap'
import type { Failure } from '../../docker/aws-local/failures.ts'
import { arn } from '../docker/aws-local/start.ts'
import { startAws } from '../support/aws.ts'
import { startHttpRecommender } from '../support/http-recommender.ts'
import { ask, startShop } from '../support/shop.ts'

type Seen = [failure: Failure, status: number, code: string, what: 'retried' | 'once', breaker: 'counted' | 'not counted']

/** What a client sees of each failure, after the provider's name; whether it is tried again; whether the breaker counts it. */
const common: Seen[] = [
  ['400', 400, 'BadRequest', 'once', 'not counted'],
  ['403', 502, 'Refused', 'once', 'not counted'],
  ['404', 502, 'Refused', 'once', 'not counted'],
  ['429', 429, 'Throttled', 'retried', 'counted'],
  ['500', 503, 'Unavailable', 'retried', 'counted'],
  ['503', 503, 'Unavailable', 'retried', 'counted'],
  ['html-502', 503, 'Unavailable', 'retried', 'counted'],
  ['empty-503', 503, 'Unavailable', 'retried', 'counted'],
  ['reset', 503, 'Unavailable', 'retried', 'counted'],
  ['hang', 504, 'Timeout', 'once', 'counted'],
  ['truncated-json', 502, 'InvalidAnswer', 'once', 'not counted'],
  ['wrong-shape', 502, 'InvalidAnswer', 'once', 'not counted']
]

/** SageMaker says 400 of an endpoint that is not there, and of what the gateway itself has made: never the caller's mistake. */
const sagemakerOwn: Seen[] = [
  ['400', 502, 'Refused', 'once', 'not counted'],
  ['404', 502, 'Refused', 'once', 'not counted'],
  ['model-error', 503, 'Unavailable', 'retried', 'counted']
]

const functionArn = 'arn:aws:lambda:us-east-1:123456789012:function:f'
const httpRecommender = await startHttpRecommender(t)
const { aws } = await startAws(t)

interface ProviderUnderTest {
  variation: object
  service: string
  /** What its errors begin with. */
  name: string
  seen: Seen[]
}

const providers: Record<string, ProviderUnderTest> = {
  'personalize-campaign': { variation: { type: 'personalize-campaign', arn: arn('campaign/c') }, service: 'personalize-runtime', name: 'Personalize', seen: common },
  'personalize-recommender': { variation: { type: 'personalize-recommender', arn: arn('recommender/r') }, service: 'personalize-runtime', name: 'Personalize', seen: common },
  sagemaker: {
    variation: { type: 'sagemaker', endpointName: 'e' },
    service: 'sagemaker-runtime',
    name: 'SageMaker',
    seen: [...common.filter(([failure]) => !sagemakerOwn.some(([own]) => own === failure)), ...sagemakerOwn]
  },
  lambda: {
    variation: { type: 'lambda', arn: functionArn }, service: 'lambda', name: 'Function', seen: [...common, ['function-error', 502, 'InvalidAnswer', 'once', 'not counted']]
  },
  http: { variation: { type: 'http', url: `${httpRecommender.url}/{userId}` }, service: 'http', name: 'Http', seen: common }
}

const rows = Object.entries(providers).flatMap(([type, provider]) => provider.seen.map(seen => ({ type, ...provider, seen })))

function misbehave (service: string, failure?: Failure): void {
  if (service === 'http') httpRecommender.misbehave(failure as '400')
  else if (failure === undefined) aws.behaviours.reset(service)
  else aws.behaviours.set(service, { failure })
}

function received (service: string): number {
  return service === 'http' ? httpRecommender.received.length : aws.requests.of(service).length
}

/** A recommender of its own for each row: one that tries again, and one whose breaker opens at the first failure. */
const recommenders = Object.fromEntries(rows.flatMap(({ type, variation, seen: [failure] }) => {
  const timeout = failure === 'hang' ? 100 : 5000
  const variations = { provider: variation }
  return [
    [`retrying-${type}-${failure}`, { variations, resilience: { timeout, retries: 1, breaker: { failures: 1000 } } }],
    [`breaking-${type}-${failure}`, { variations, resilience: { timeout, retries: 0, breaker: { failures: 1, probeInterval: 600_000 } } }]
  ]
}))

t.test('what becomes of each failure of each provider', async t => {
  const app = await startShop(t, { 'recommend-items': recommenders })

  for (const { type, service, name, seen } of rows) {
    const [failure, status, code, what, breaker] = seen
    misbehave(service, failure)
    let before = received(service)
    const { body, headers, status: got } = await ask(app, `/recommend-items/shop/retrying-${type}-${failure}/user-1`)
    // The first call goes on a connection that was kept from the row before. That it is reset there, is repeated and not retried.
    const repeats = failure === 'reset' ? 1 : 0
    const calls = received(service) - before - repeats

    before = received(service)
    const first = await ask(app, `/recommend-items/shop/breaking-${type}-${failure}/user-1`)
    misbehave(service)
    const second = await ask(app, `/recommend-items/shop/breaking-${type}-${failure}/user-1`)
    const reached = received(service) - before
    const opened = reached === 1 && second.status === 503 && second.body['code'] === 'CircuitOpen'

    t.strictSame([failure, got, body['code'], calls === 2 ? 'retried' : 'once', opened ? 'counted' : 'not counted'], [failure, status, `${name}${code}`, what, breaker], `${type}: ${failure}`)
    t.equal(first.body['code'], body['code'], 'the call that opens the breaker says what went wrong')
    t.equal(reached, breaker === 'counted' ? 1 : 2, `${type}: ${failure}: an open breaker lets nothing through`)
    t.equal(headers['retry-after'], [429, 503].includes(status) ? '1' : undefined, `${type}: ${failure}: retry-after`)
    t.equal(headers['cache-control'], 'no-store')
    t.strictSame(Object.keys(body).sort(), ['code', 'message', 'requestId', 'type'])
    t.equal(body['type'], name)
    t.notMatch(String(body['message']), /not valid|not authorized|Rate exceeded|does not exist|internal error|crashed|says|unexpected|<html/, `${type}: ${failure}: nothing of what the provider said`)
  }
})
