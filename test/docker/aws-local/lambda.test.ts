import { InvokeCommand, LambdaClient, type InvokeCommandInput } from '@aws-sdk/client-lambda'
import t from 'tap'
import { start } from './start.ts'

const functionArn = 'arn:aws:lambda:us-east-1:123456789012:function:recommender'
const { aws, config } = await start(t, {
  functions: {
    reverse: payload => ({ itemList: (payload as { response: { itemList: unknown[] } }).response.itemList.reverse() }),
    crash: () => { throw new TypeError('no such thing') }
  }
})
const client = new LambdaClient(config)
t.teardown(() => client.destroy())

interface Invoked { answer: unknown, status: number | undefined, error: string | undefined, version: string | undefined }

async function invoke (payload: unknown, more: Partial<InvokeCommandInput> = {}): Promise<Invoked> {
  const invocation = new InvokeCommand({ FunctionName: functionArn, Payload: JSON.stringify(payload), ...more })
  const { Payload, StatusCode, FunctionError, ExecutedVersion } = await client.send(invocation)
  const text = Payload?.transformToString() ?? ''
  return { answer: text === '' ? undefined : JSON.parse(text), status: StatusCode, error: FunctionError, version: ExecutedVersion }
}

t.test('answers payloads of version 1.0, by ARN and by name', async t => {
  const { answer, status, version } = await invoke({ version: '1.0', action: 'recommend-items', userId: 'user-1', numResults: 3 })
  t.match(answer, { itemList: [{ itemId: String, score: Number }, {}, {}] })
  t.match({ status, version }, { status: 200, version: '$LATEST' })
  const rerank = { version: '1.0', action: 'rerank-items', userId: 'user-1', itemList: ['item-1', 'item-2'] }
  const ranked = await invoke(rerank, { FunctionName: 'recommender', Qualifier: 'PROD' })
  t.match(ranked, { answer: { personalizedRanking: [{}, {}] }, version: 'PROD' })
})

t.test('returns what it is to look over', async t => {
  const response = { itemList: [{ itemId: 'a' }, { itemId: 'b' }], recommendationId: 'RID-1' }
  t.strictSame((await invoke({ version: '1.0', action: 'recommend-items', userId: 'user-1', response })).answer, response)
})

t.test('has functions of one\'s own', async t => {
  const response = { itemList: [{ itemId: 'a' }, { itemId: 'b' }] }
  t.strictSame((await invoke({ response }, { FunctionName: 'reverse' })).answer, { itemList: [{ itemId: 'b' }, { itemId: 'a' }] })
  t.match(await invoke({}, { FunctionName: 'crash' }), { status: 200, error: 'Unhandled', answer: { errorType: 'TypeError', errorMessage: 'no such thing' } })
})

t.test('a function\'s error is an answer', async t => {
  t.match(await invoke({ version: '2.0' }), { status: 200, error: 'Unhandled', answer: { errorType: String, errorMessage: /version 1.0/ } })
})

t.test('takes what nobody waits for', async t => {
  t.match(await invoke({ a: 1 }, { InvocationType: 'Event' }), { status: 202, answer: undefined })
  t.match(aws.requests.of('lambda').at(-1), { body: { a: 1 }, headers: { 'x-amz-invocation-type': 'Event' } })
})

t.test('tells the end of the log to those who ask', async t => {
  const { LogResult } = await client.send(new InvokeCommand({ FunctionName: 'crash', LogType: 'Tail' }))
  t.equal(Buffer.from(LogResult!, 'base64').toString(), 'no such thing')
})

t.test('refuses what is no invocation', async t => {
  await t.rejects(client.send(new InvokeCommand({ FunctionName: 'a b' })), { name: 'InvalidParameterValueException', $metadata: { httpStatusCode: 400 } })
  await t.rejects(client.send(new InvokeCommand({ FunctionName: 'f', Payload: 'text' })), { name: 'InvalidRequestContentException', $metadata: { httpStatusCode: 400 } })
  await t.rejects(invoke('x'.repeat(1024 * 1024), { InvocationType: 'Event' }), { name: 'RequestTooLargeException', $metadata: { httpStatusCode: 413 } })
})
