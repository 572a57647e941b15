import t, { type Test } from 'tap'
import type { AwsLocal } from '../../docker/aws-local/app.ts'
import { eventTargetContract, type TargetUnderTest } from '../contracts/event-target.ts'
import { awsTarget, recordsTaken } from '../support/aws-target.ts'
import { startAws } from '../support/aws.ts'
import { bodiesOf, eventBody } from '../support/event-bodies.ts'
import { openTarget } from '../support/open-target.ts'

/** In bytes. */
const largest = 1_000 * 1024
const config = { type: 'kinesis-firehose', streamName: 'events' }

const taken = (aws: AwsLocal): string[] => recordsTaken(aws, 'firehose', ({ RequestResponses }: { RequestResponses: Array<{ ErrorCode?: string }> }) => RequestResponses)

async function start (t: Test): Promise<TargetUnderTest> {
  const { aws } = await startAws(t)
  return awsTarget(aws, 'firehose', config, () => taken(aws))
}

eventTargetContract({
  type: 'kinesis-firehose',
  start,
  records: true,
  misbehaviours: ['throttle', 'away', 'hang'],
  packs: { bodies: bodiesOf(1_000, 1), calls: 3 },
  poison: { properties: 'x'.repeat(largest) }
})

t.test('a record ends with a newline', async t => {
  const { aws } = await startAws(t)
  const { target } = await openTarget(t, config)
  await Promise.all(bodiesOf(5, 1).map(async body => target.deliver(body)))
  for (const text of taken(aws)) t.match(text, /^\{[^\n]*\}\n$/)
  t.match(aws.requests.of('firehose')[0], { operation: 'PutRecordBatch', body: { DeliveryStreamName: 'events' } })
})

t.test('a body is parted where it would be larger than a record may be, to the byte', async t => {
  const { aws } = await startAws(t)
  const { target } = await openTarget(t, config)
  const sizes = async (length: number): Promise<number[]> => {
    aws.requests.forget()
    const body = eventBody('user', ['a', 'b'], { properties: 'x'.repeat(500_000) })
    body.events[1]!.properties = 'x'.repeat(length)
    t.equal(await target.deliver(body), undefined)
    return taken(aws).map(text => Buffer.byteLength(text))
  }
  const [less] = await sizes(500_000)
  const exactly = 500_000 + largest - less!
  t.strictSame(await sizes(exactly), [largest])
  t.equal((await sizes(exactly + 1)).length, 2)
})

t.test('a call that is one too many is made again, and is no sign that the stream is away', async t => {
  const { aws } = await startAws(t)
  const { target } = await openTarget(t, config)
  aws.behaviours.set('firehose', { failure: '429', times: 6 })
  t.equal(await target.deliver(eventBody('user', ['a'])), undefined)
  t.strictSame(aws.requests.of('firehose').map(({ reply }) => reply?.status), [503, 503, 503, 503, 503, 503, 200])
})

t.test('a stream that is not there is a matter of the configuration, and no event is at fault', async t => {
  const { aws } = await startAws(t)
  const { target } = await openTarget(t, config)
  for (const failure of ['403', '404'] as const) {
    aws.behaviours.set('firehose', { failure, times: 1 })
    t.match(await target.deliver(eventBody('user', ['a'])), { retryable: true, reason: 'it does not know us, or what the configuration names', eventIds: ['a'] })
  }
})
