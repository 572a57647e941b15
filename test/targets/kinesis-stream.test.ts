import t, { type Test } from 'tap'
import type { AwsLocal } from '../../docker/aws-local/app.ts'
import { eventTargetContract, type TargetUnderTest } from '../contracts/event-target.ts'
import { awsTarget, recordsTaken } from '../support/aws-target.ts'
import { startAws } from '../support/aws.ts'
import { bodiesOf, eventBody } from '../support/event-bodies.ts'
import { arrivalsOf, type EventRecord } from '../support/event-records.ts'
import { openTarget } from '../support/open-target.ts'

const config = { type: 'kinesis-stream', streamName: 'events' }

const taken = (aws: AwsLocal): string[] => recordsTaken(aws, 'kinesis', ({ Records }: { Records: Array<{ ErrorCode?: string }> }) => Records)

async function start (t: Test): Promise<TargetUnderTest> {
  const { aws } = await startAws(t)
  return awsTarget(aws, 'kinesis', config, () => taken(aws))
}

eventTargetContract({
  type: 'kinesis-stream',
  start,
  records: true,
  misbehaviours: ['throttle', 'away', 'hang'],
  packs: { bodies: bodiesOf(1_000, 1), calls: 3 },
  poison: { properties: 'x'.repeat(1024 * 1024) }
})

t.test('records go by session, else by user', async t => {
  const { aws } = await startAws(t)
  const { target } = await openTarget(t, config)
  await target.deliver(eventBody('user', ['a']))
  await target.deliver({ ...eventBody('user', ['b']), sessionId: undefined })
  t.match(aws.requests.of('kinesis').map(({ body }) => body), [
    { StreamName: 'events', Records: [{ PartitionKey: 'session-of-user' }] },
    { Records: [{ PartitionKey: 'user' }] }
  ])
})

t.test('of a body in several records, the events of those that are refused are told', async t => {
  const { aws } = await startAws(t)
  const { target } = await openTarget(t, config)
  const body = eventBody('user', ['a', 'b', 'c', 'bad'])
  body.events[3]!.properties = 'x'.repeat(1024 * 1024)
  t.match(await target.deliver(body), { retryable: false, eventIds: ['bad'] })
  t.strictSame(arrivalsOf(taken(aws).map(text => JSON.parse(text) as EventRecord)).map(({ eventId }) => eventId), ['a', 'b', 'c'])
})

t.test('a call that is refused for its rate is made again, and is no sign that the stream is away', async t => {
  const { aws } = await startAws(t)
  const { target } = await openTarget(t, config)
  aws.behaviours.set('kinesis', { failure: '429', times: 6 })
  t.equal(await target.deliver(eventBody('user', ['a'])), undefined)
  t.strictSame(aws.requests.of('kinesis').map(({ reply }) => reply?.status), [400, 400, 400, 400, 400, 400, 200])
})

t.test('what the configuration has wrong is no fault of an event', async t => {
  const { aws } = await startAws(t)
  const { target } = await openTarget(t, config)
  for (const failure of ['403', '404'] as const) {
    aws.behaviours.set('kinesis', { failure, times: 1 })
    t.match(await target.deliver(eventBody('user', ['a'])), { retryable: true, reason: 'it does not know us, or what the configuration names', eventIds: ['a'] })
  }
})
