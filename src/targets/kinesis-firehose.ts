import Type from 'typebox'
import { awsClient } from '../connections/aws.ts'
import { awsFailureOf, refusalOfRecord } from '../delivery/aws-refusals.ts'
import { failures } from '../delivery/failures.ts'
import { strict } from '../base/schema.ts'
import { openBatched } from './batched.ts'
import { eventTargetType } from './target.ts'
import { deliverySchema } from './delivery.ts'
import { recordsOf } from './record.ts'

/** The limits of one call, and of a record. https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html */
const limits = { parcels: 500, bytes: 4 * 1024 * 1024, calls: 8 }
const largestRecord = 1_000 * 1024

/** The separator of records, which Firehose concatenates: in S3 they become JSON Lines. */
const separator = '\n'

/** A delivery stream of Amazon Data Firehose: one record for each body. */
export const kinesisFirehose = eventTargetType({
  type: 'kinesis-firehose',
  needsRegion: () => true,
  schema: strict({ type: Type.Literal('kinesis-firehose'), streamName: Type.String({ pattern: '^[a-zA-Z0-9_.-]{1,64}$' }), delivery: deliverySchema }),
  async open (config, scope) {
    const { FirehoseClient, PutRecordBatchCommand, ServiceUnavailableException } = await import('@aws-sdk/client-firehose')
    const client = await awsClient(scope, FirehoseClient)
    return openBatched(scope, config, {
      limits,
      atomic: false,
      takesBodies: true,
      split: body => recordsOf(body, largestRecord - separator.length).map(({ text, size, eventIds, owner }) => (
        { value: { Data: Buffer.from(text + separator) }, owner, size: size + separator.length, eventIds }
      )),
      async send (Records, abortSignal) {
        const answer = await client.send(new PutRecordBatchCommand({ DeliveryStreamName: config.streamName, Records: [...Records] }), { abortSignal })
        return Records.map((_record, i) => refusalOfRecord(answer.RequestResponses?.[i]))
      },
      // It has no other name for a stream that is written too fast than for one that is away.
      failureOf: (error, signal) => error instanceof ServiceUnavailableException && !signal.aborted ? failures.throttled : awsFailureOf(error, signal)
    })
  }
})
