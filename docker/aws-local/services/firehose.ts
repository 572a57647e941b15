import Type from 'typebox'
import { jsonRpc, rpcFaults } from '../protocol.ts'
import { checkSizes, DataSchema, decodedSize } from '../records.ts'
import type { Scope } from '../scope.ts'
import { batchOperation, operation, type Service } from '../service.ts'

const DeliveryStreamName = Type.String({ pattern: '^[a-zA-Z0-9_.-]{1,64}$' })
const RecordSchema = Type.Object({ Data: DataSchema })
const BatchSchema = Type.Object({ DeliveryStreamName, Records: Type.Array(RecordSchema, { minItems: 1, maxItems: 500 }) })
const SingleSchema = Type.Object({ DeliveryStreamName, Record: RecordSchema })

const most = { record: 1_024_000, call: 4 * 1024 * 1024 }
const invalid = 'InvalidArgumentException'

/** Opens Amazon Data Firehose. A delivery stream of any name exists. */
export function firehose ({ newId }: Scope): Service {
  return {
    name: 'firehose',
    protocol: jsonRpc('firehose'),
    faults: {
      ...rpcFaults,
      400: { code: invalid, status: 400 },
      // Firehose has no separate code for throttling.
      429: { code: 'ServiceUnavailableException', status: 503 },
      500: { code: 'InternalFailure', status: 500 }
    },
    target: 'Firehose_20150804',
    operations: {
      PutRecordBatch: batchOperation(BatchSchema, ({ Records }, call) => {
        checkSizes(Records.map(({ Data }) => decodedSize(Data)), most, invalid)
        const RequestResponses = Records.map(() => call.throttled() ? { ErrorCode: 'ServiceUnavailableException', ErrorMessage: 'Slow down.' } : { RecordId: newId() })
        return { FailedPutCount: RequestResponses.filter(response => 'ErrorCode' in response).length, Encrypted: false, RequestResponses }
      }),

      PutRecord: operation(SingleSchema, ({ Record }) => {
        checkSizes([decodedSize(Record.Data)], most, invalid)
        return { RecordId: newId(), Encrypted: false }
      })
    }
  }
}
