import t from 'tap'
import { rpc, start } from './start.ts'

const draws = [0.9, 0.1, 0.9]
const { aws, url } = await start(t, { random: () => draws.shift() ?? 1 })

const record = (text: string): object => ({ Data: Buffer.from(text).toString('base64'), PartitionKey: 'user-1' })
const put = async (records: object[]): ReturnType<typeof rpc> => rpc(url, 'Kinesis_20131202.PutRecords', { StreamName: 'events', Records: records })

t.test('fails a share of the records, one by one', async t => {
  aws.behaviours.set('kinesis', { throttleShare: 0.5, times: 1 })
  const { status, body } = await put([record('a'), record('b'), record('c')])
  t.equal(status, 200)
  t.match(body, { FailedRecordCount: 1, Records: [{ SequenceNumber: /^\d{56}$/ }, { ErrorCode: 'ProvisionedThroughputExceededException' }, { ShardId: /^shardId-\d{12}$/ }] })
})

t.test('takes records, those of one key in one shard and in order', async t => {
  const { body } = await put([record('a'), record('b')])
  const [one, other] = body['Records'] as Array<{ SequenceNumber: string, ShardId: string }>
  t.equal(one!.ShardId, other!.ShardId)
  t.ok(BigInt(one!.SequenceNumber) < BigInt(other!.SequenceNumber))
  const single = await rpc(url, 'Kinesis_20131202.PutRecord', { StreamARN: 'arn:aws:kinesis:us-east-1:123456789012:stream/events', ...record('c') })
  t.match(single, { status: 200, body: { ShardId: one!.ShardId } })
})

t.test('refuses what it cannot take', async t => {
  const refusal = { status: 400, body: { __type: 'com.amazonaws.kinesis#InvalidArgumentException', message: String } }
  t.match(await put([]), refusal)
  t.match(await put(Array.from({ length: 501 }, () => record('x'))), refusal)
  t.match(await put([{ Data: 'eA==' }]), refusal, 'no partition key')
  t.match(await put([{ ...record('x'), Data: 'not base 64' }]), refusal)
  t.match(await put([record('x'.repeat(1024 * 1024))]), refusal, 'too large with its key')
  t.match(await put(Array.from({ length: 6 }, () => record('x'.repeat(1_000_000)))), refusal, 'too large together')
  t.match(await rpc(url, 'Kinesis_20131202.PutRecords', { Records: [record('x')] }), refusal, 'no stream')
  t.match(await rpc(url, 'Kinesis_20131202.CreateStream', {}), { status: 400, body: { __type: 'com.amazonaws.kinesis#UnknownOperationException' } })
})
