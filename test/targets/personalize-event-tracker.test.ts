import t, { type Test } from 'tap'
import type { AwsLocal } from '../../docker/aws-local/app.ts'
import { eventTargetContract, type Arrival, type TargetUnderTest } from '../contracts/event-target.ts'
import { misbehaving } from '../support/aws-target.ts'
import { startAws } from '../support/aws.ts'
import { bodiesOf, eventBody } from '../support/event-bodies.ts'
import { openTarget } from '../support/open-target.ts'

const config = { type: 'personalize-event-tracker', trackingId: 'tracking-1' }

interface PutEvents {
  userId?: string
  sessionId: string
  eventList: Array<{ eventId: string, sentAt: number }>
}

function taken (aws: AwsLocal): PutEvents[] {
  return aws.requests.of('personalize-events').filter(({ reply }) => reply?.status === 200).map(({ body }) => body as PutEvents)
}

function arrivalsOf ({ userId, sessionId, eventList }: PutEvents): Arrival[] {
  return eventList.map(({ sentAt, ...event }) => ({ userId, sessionId, ...event, sentAt: Math.round(sentAt * 1000) }))
}

async function start (t: Test): Promise<TargetUnderTest> {
  const { aws } = await startAws(t)
  return {
    config,
    arrived: () => taken(aws).flatMap(arrivalsOf),
    text: () => JSON.stringify(aws.requests.of('personalize-events').map(({ body }) => body)),
    misbehave: misbehaving(aws, 'personalize-events'),
    calls: () => aws.requests.of('personalize-events').length
  }
}

eventTargetContract({
  type: 'personalize-event-tracker',
  start,
  misbehaviours: ['throttle', 'away', 'hang'],
  packs: { bodies: bodiesOf(4, 100), calls: 48 },
  poison: { properties: '{"userId":"somebody else"}' }
})

t.test('a call is of one user and one session', async t => {
  const { aws } = await startAws(t)
  const { target } = await openTarget(t, config)
  const bodies = [eventBody('one', ['a', 'b']), { ...eventBody('one', ['c']), sessionId: 'later' }, eventBody('other', ['d'])]
    .map(body => ({ ...body, events: body.events.map(event => ({ ...event, sessionId: body.sessionId })) }))
  t.strictSame(await Promise.all(bodies.map(async body => target.deliver(body))), [undefined, undefined, undefined])
  const calls = taken(aws).map(({ userId, sessionId, eventList }) => [userId, sessionId, eventList.map(({ eventId }) => eventId).join()].join(' '))
  t.strictSame(calls.sort(), ['one later c', 'one session-of-one a,b', 'other session-of-other d'])
  t.match(taken(aws)[0], { trackingId: 'tracking-1' })
})

t.test('of a body, the events that are refused are told', async t => {
  const { aws } = await startAws(t)
  const { target } = await openTarget(t, config)
  const body = eventBody('user', Array.from({ length: 25 }, (_, i) => `event-${i}`))
  for (const i of [3, 17]) body.events[i]!.properties = '{"userId":"somebody else"}'
  t.match(await target.deliver(body), { retryable: false, eventIds: ['event-3', 'event-17'] })
  t.equal(taken(aws).flatMap(({ eventList }) => eventList).length, 23)
})

t.test('who has no session has one of their own', async t => {
  const { aws } = await startAws(t)
  const { target } = await openTarget(t, config)
  const body = eventBody('user', ['a'])
  t.equal(await target.deliver({ ...body, sessionId: undefined, events: body.events.map(event => ({ ...event, sessionId: undefined })) }), undefined)
  t.match(taken(aws), [{ userId: 'user', sessionId: 'user' }])
})
