import Type from 'typebox'
import { awsClient } from '../connections/aws.ts'
import { awsFailureOf, refusalOfRecord } from '../delivery/aws-refusals.ts'
import { strict } from '../base/schema.ts'
import { openBatched } from './batched.ts'
import { ownerOf, type EventBody } from './body.ts'
import { eventTargetType } from './target.ts'
import { deliverySchema } from './delivery.ts'
import { recordsOf } from './record.ts'

/** The limits of one call, and of a record with its key. https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html */
const limits = { parcels: 500, bytes: 5 * 1024 * 1024, calls: 8 }
const largestRecord = 1024 * 1024
const longestKey = 256

/** A stream of Amazon Kinesis: one record for each body, with the session, or else the user, as partition key. */
export const kinesisStream = eventTargetType({
  type: 'kinesis-stream',
  needsRegion: () => true,
  schema: strict({ type: Type.Literal('kinesis-stream'), streamName: Type.String({ pattern: '^[a-zA-Z0-9_.-]{1,128}$' }), delivery: deliverySchema }),
  async open (config, scope) {
    const { KinesisClient, PutRecordsCommand } = await import('@aws-sdk/client-kinesis')
    const client = await awsClient(scope, KinesisClient)
    return openBatched(scope, config, {
      limits,
      atomic: false,
      takesBodies: true,
      // One partition key goes to one shard, which may be slower than the stream.
      holdersOf: body => [`owner ${ownerOf(body)}`, `partition key ${partitionKeyOf(body)}`],
      split: body => recordsOf(body, largestRecord - longestKey * 4).map(({ text, size, eventIds, owner }) => {
        const PartitionKey = partitionKeyOf(body)
        return { value: { Data: Buffer.from(text), PartitionKey }, owner, size: size + Buffer.byteLength(PartitionKey), eventIds }
      }),
      async send (Records, abortSignal) {
        const answer = await client.send(new PutRecordsCommand({ StreamName: config.streamName, Records: [...Records] }), { abortSignal })
        return Records.map((_record, i) => refusalOfRecord(answer.Records?.[i]))
      },
      failureOf: awsFailureOf
    })
  }
})

function partitionKeyOf (body: EventBody): string {
  return body.sessionId ?? ownerOf(body)
}
