import { hash } from 'node:crypto'
import Type, { type Static } from 'typebox'
import { jsonRpc, rpcFaults } from '../protocol.ts'
import { checkSizes, DataSchema, decodedSize, StreamNameSchema } from '../records.ts'
import { Refusal } from '../refusal.ts'
import type { Scope } from '../scope.ts'
import { batchOperation, operation, type Service } from '../service.ts'

const stream = {
  StreamName: Type.Optional(StreamNameSchema),
  StreamARN: Type.Optional(Type.String({ pattern: '^arn:[a-z0-9-]+:kinesis:[^:]+:\\d{12}:stream/[a-zA-Z0-9_.-]{1,128}$' }))
}
const RecordSchema = Type.Object({
  Data: DataSchema,
  PartitionKey: Type.String({ minLength: 1, maxLength: 256 }),
  ExplicitHashKey: Type.Optional(Type.String({ pattern: '^(0|[1-9]\\d{0,38})$' }))
})
const BatchSchema = Type.Object({ ...stream, Records: Type.Array(RecordSchema, { minItems: 1, maxItems: 500 }) })
const SingleSchema = Type.Object({ ...stream, ...RecordSchema.properties })

type StreamRecord = Static<typeof RecordSchema>

/** In bytes. The size of a record includes its partition key. */
const most = { record: 1024 * 1024, call: 5 * 1024 * 1024 }
const invalid = 'InvalidArgumentException'
const exceeded = 'ProvisionedThroughputExceededException'
const shards = 4

/** Opens Amazon Kinesis. A stream of any name exists, with four shards. */
export function kinesis (_scope: Scope): Service {
  let sequence = 496n * 10n ** 53n

  function accept ({ PartitionKey }: StreamRecord): object {
    const shard = parseInt(hash('md5', PartitionKey).slice(0, 8), 16) % shards
    return { SequenceNumber: String(sequence++), ShardId: `shardId-${String(shard).padStart(12, '0')}` }
  }

  return {
    name: 'kinesis',
    protocol: jsonRpc('kinesis'),
    faults: { ...rpcFaults, 400: { code: invalid, status: 400 }, 429: { code: exceeded, status: 400 }, 500: { code: 'InternalFailure', status: 500 } },
    target: 'Kinesis_20131202',
    operations: {
      PutRecords: batchOperation(BatchSchema, (input, call) => {
        checkStream(input)
        checkSizes(input.Records.map(sizeOf), most, invalid)
        const Records = input.Records.map(record => call.throttled() ? { ErrorCode: exceeded, ErrorMessage: 'Rate exceeded for shard' } : accept(record))
        return { FailedRecordCount: Records.filter(record => 'ErrorCode' in record).length, Records }
      }),

      PutRecord: operation(SingleSchema, input => {
        checkStream(input)
        checkSizes([sizeOf(input)], most, invalid)
        return accept(input)
      })
    }
  }
}

function checkStream ({ StreamName, StreamARN }: { StreamName?: string, StreamARN?: string }): void {
  if (StreamName === undefined && StreamARN === undefined) throw new Refusal('400', 'A StreamName or a StreamARN must be given.')
}

function sizeOf ({ Data, PartitionKey }: StreamRecord): number {
  return decodedSize(Data) + Buffer.byteLength(PartitionKey)
}
