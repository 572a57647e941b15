import { FirehoseClient, PutRecordCommand } from '@aws-sdk/client-firehose'
import { InvokeCommand, LambdaClient, type InvokeCommandOutput } from '@aws-sdk/client-lambda'
import { GetRecommendationsCommand, PersonalizeRuntimeClient } from '@aws-sdk/client-personalize-runtime'
import { InvokeEndpointCommand, SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime'
import t from 'tap'
import { arn, start } from './start.ts'

const draws: number[] = []
const { aws, config } = await start(t, { random: () => draws.shift() ?? 1 })
const personalize = new PersonalizeRuntimeClient(config)
const sagemaker = new SageMakerRuntimeClient(config)
const lambda = new LambdaClient(config)
const firehose = new FirehoseClient(config)
t.teardown(() => { for (const client of [personalize, sagemaker, lambda, firehose]) client.destroy() })
t.afterEach(() => aws.behaviours.reset())

const recommend = async (abortSignal = AbortSignal.timeout(30_000)): Promise<unknown> =>
  personalize.send(new GetRecommendationsCommand({ campaignArn: arn('campaign/c'), userId: 'user-1', numResults: 1 }), { abortSignal })
const predict = async (): Promise<unknown> => sagemaker.send(new InvokeEndpointCommand({ EndpointName: 'model', Body: '{"instances":[{"in0":["u"],"in1":["i"]}]}' }))
const Payload = JSON.stringify({ version: '1.0', action: 'related-items', itemId: 'item-1', numResults: 1 })
const invoke = async (): Promise<InvokeCommandOutput> => lambda.send(new InvokeCommand({ FunctionName: 'f', Payload }))
const put = async (): Promise<unknown> => firehose.send(new PutRecordCommand({ DeliveryStreamName: 'events', Record: { Data: Buffer.from('x') } }))
const failure = (name: string, httpStatusCode: number): { name: string, [more: string]: unknown } => ({ name, $metadata: { httpStatusCode } })

t.test('fails as the service would', async t => {
  const expected = {
    400: 'InvalidInputException',
    403: 'AccessDeniedException',
    404: 'ResourceNotFoundException',
    429: 'ThrottlingException',
    500: 'InternalServerException',
    503: 'ServiceUnavailableException'
  }
  for (const [status, name] of Object.entries(expected)) {
    aws.behaviours.set('personalize-runtime', { failure: status as '400' })
    await t.rejects(recommend(), failure(name, Number(status)))
  }
  aws.behaviours.set('sagemaker-runtime', { failure: '503' })
  await t.rejects(predict(), failure('ServiceUnavailable', 503))
  aws.behaviours.set('lambda', { failure: '429' })
  await t.rejects(invoke(), { ...failure('TooManyRequestsException', 429), Reason: String, retryAfterSeconds: '1' })
  aws.behaviours.set('firehose', { failure: '404' })
  await t.rejects(put(), failure('ResourceNotFoundException', 400))
})

t.test('has failures that are one service\'s own', async t => {
  aws.behaviours.set('sagemaker-runtime', { failure: 'model-error' })
  await t.rejects(predict(), { ...failure('ModelError', 424), OriginalStatusCode: 500 })
  aws.behaviours.set('lambda', { failure: 'function-error' })
  t.match(await invoke(), { FunctionError: 'Unhandled', StatusCode: 200 })
  t.throws(() => aws.behaviours.set('lambda', { failure: 'model-error' }), { message: 'lambda knows no "model-error"' })
  t.throws(() => aws.behaviours.set('s3', {}), RangeError)
})

t.test('fails on the wire', async t => {
  aws.behaviours.set('personalize-runtime', { failure: 'html-502' })
  await t.rejects(recommend(), failure('SyntaxError', 502))
  aws.behaviours.set('personalize-runtime', { failure: 'empty-503' })
  await t.rejects(recommend(), failure('Unknown', 503))
  aws.behaviours.set('personalize-runtime', { failure: 'reset' })
  await t.rejects(recommend(), { code: 'ECONNRESET' })
  aws.behaviours.set('personalize-runtime', { failure: 'truncated-json' })
  await t.rejects(recommend(), SyntaxError)
  aws.behaviours.set('lambda', { failure: 'wrong-shape' })
  const answer = await invoke()
  t.strictSame(JSON.parse(answer.Payload!.transformToString()), { itemList: 'unexpected' })
})

t.test('hangs until the client gives up', async t => {
  aws.behaviours.set('personalize-runtime', { failure: 'hang' })
  aws.requests.forget()
  const client = new AbortController()
  const pending = recommend(client.signal)
  await aws.requests.reached('personalize-runtime', 1)
  client.abort()
  await t.rejects(pending, { name: 'AbortError' })
})

t.test('waits before it answers', async t => {
  aws.behaviours.set('personalize-runtime', { latencyMs: 50 })
  const begin = performance.now()
  await recommend()
  t.ok(performance.now() - begin >= 49)
})

t.test('throttles a share of the calls', async t => {
  aws.behaviours.set('personalize-runtime', { throttleShare: 0.5 })
  draws.push(0.7, 0.2, 0.5)
  await recommend()
  await t.rejects(recommend(), failure('ThrottlingException', 429))
  await recommend()
  aws.behaviours.set('firehose', { throttleShare: 1 })
  draws.push(0.5)
  await t.rejects(put(), failure('ServiceUnavailableException', 503))
})

t.test('misbehaves for so many calls', async t => {
  aws.behaviours.set('personalize-runtime', { failure: '500', times: 2 })
  await t.rejects(recommend())
  await t.rejects(recommend())
  await recommend()
})

t.test('closes at once, with calls that hang and calls that wait', async t => {
  const { aws, url } = await start(t)
  aws.behaviours.set('personalize-runtime', { failure: 'hang' })
  aws.behaviours.set('lambda', { latencyMs: 600_000 })
  const other = new PersonalizeRuntimeClient({ ...config, endpoint: url })
  const another = new LambdaClient({ ...config, endpoint: url })
  t.teardown(() => { other.destroy(); another.destroy() })
  const pending = Promise.allSettled([
    other.send(new GetRecommendationsCommand({ campaignArn: arn('campaign/c'), userId: 'user-1' })),
    another.send(new InvokeCommand({ FunctionName: 'f' }))
  ])
  await Promise.all([aws.requests.reached('personalize-runtime', 1), aws.requests.reached('lambda', 1)])
  await aws.close()
  t.match(await pending, [{ status: 'rejected' }, { status: 'rejected' }])
})
