import { FirehoseClient, PutRecordBatchCommand, PutRecordCommand, type PutRecordBatchCommandOutput } from '@aws-sdk/client-firehose'
import t from 'tap'
import { start } from './start.ts'

const draws = [0.9, 0.1, 0.9]
const { aws, config } = await start(t, { random: () => draws.shift() ?? 1 })
const client = new FirehoseClient(config)
t.teardown(() => client.destroy())

const DeliveryStreamName = 'events'
const record = (text: string): { Data: Buffer } => ({ Data: Buffer.from(text) })
const put = async (count: number, text = 'x'): Promise<PutRecordBatchCommandOutput> =>
  client.send(new PutRecordBatchCommand({ DeliveryStreamName, Records: Array.from({ length: count }, () => record(text)) }))

t.test('fails a share of the records, one by one', async t => {
  aws.behaviours.set('firehose', { throttleShare: 0.5, times: 1 })
  const { FailedPutCount, RequestResponses = [] } = await put(3)
  t.equal(FailedPutCount, 1)
  t.match(RequestResponses, [{ RecordId: String }, { ErrorCode: 'ServiceUnavailableException', ErrorMessage: 'Slow down.' }, { RecordId: String }])
})

t.test('takes records', async t => {
  t.match(await client.send(new PutRecordCommand({ DeliveryStreamName, Record: record('one') })), { RecordId: String, Encrypted: false })
  t.match(aws.requests.of('firehose').at(-1), { operation: 'PutRecord', body: { Record: { Data: Buffer.from('one').toString('base64') } } })
  const { FailedPutCount, RequestResponses } = await put(500)
  t.equal(FailedPutCount, 0)
  t.equal(RequestResponses?.length, 500)
})

t.test('refuses more than it can take', async t => {
  const refusal = { name: 'InvalidArgumentException', $metadata: { httpStatusCode: 400 } }
  await t.rejects(put(0), refusal)
  await t.rejects(put(501), refusal)
  await t.rejects(put(1, 'x'.repeat(1_024_001)), refusal)
  await t.rejects(put(5, 'x'.repeat(1_000_000)), refusal)
  await t.rejects(client.send(new PutRecordCommand({ DeliveryStreamName: 'a b', Record: record('x') })), refusal)
})
