import t, { type Test } from 'tap'
import { eventTargetContract, type TargetUnderTest } from '../contracts/event-target.ts'
import { bodiesOf, eventBody } from '../support/event-bodies.ts'
import { arrivalsOf, type EventRecord } from '../support/event-records.ts'
import { startKinesis } from '../support/kinesalite.ts'
import { openTarget } from '../support/open-target.ts'
import { seededRandom } from '../support/seeded-random.ts'

const config = { type: 'kinesis-stream', streamName: 'events' }

async function start (t: Test): Promise<TargetUnderTest> {
  const { read, puts, throttle } = await startKinesis(t, config.streamName, seededRandom(11).next)
  return {
    config,
    arrived: async () => arrivalsOf((await read()).map(text => JSON.parse(text) as EventRecord)),
    text: async () => (await read()).join('\n'),
    misbehave (how) { throttle(how === 'throttle' ? 0.3 : 0) },
    calls: puts
  }
}

eventTargetContract({
  type: 'kinesis-stream',
  start,
  records: true,
  misbehaviours: ['throttle'],
  packs: { bodies: bodiesOf(1_000, 1), calls: 3 },
  poison: { properties: 'x'.repeat(1024 * 1024) }
})

t.test('a stream that is not there is a matter of the configuration', async t => {
  await startKinesis(t, config.streamName, () => 0)
  const { target } = await openTarget(t, { ...config, streamName: 'other' })
  t.match(await target.deliver(eventBody('user', ['a'])), { retryable: true, reason: 'it does not know us, or what the configuration names', eventIds: ['a'] })
})
