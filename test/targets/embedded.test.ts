import { join } from 'node:path'
import t, { type Test } from 'tap'
import { eventLogDirectory, recommenderOf } from '../../src/recommender/of-namespace.ts'
import { openEventLog, type LoggedEvent } from '../../src/recommender/event-log.ts'
import { defaultParameters } from '../../src/origins/embedded.ts'
import { createHolder } from '../../src/connections/scope.ts'
import { eventTargetContract, type TargetUnderTest } from '../contracts/event-target.ts'
import { eventBody } from '../support/event-bodies.ts'
import { openTarget } from '../support/open-target.ts'

const config = { type: 'embedded' }

async function start (t: Test): Promise<TargetUnderTest> {
  const dataDir = join(t.testdir({ data: {} }), 'data')
  const arrived = async (): Promise<LoggedEvent[]> => {
    const log = await openEventLog(eventLogDirectory(dataDir, 'shop'), { now: Date.now, onError (error) { throw error } })
    try {
      return log.read(undefined, 10_000).map(({ event }) => event)
    } finally {
      await log.close()
    }
  }
  return { config, resources: { dataDir }, readWhenClosed: true, arrived, text: async () => JSON.stringify(await arrived()) }
}

eventTargetContract({ type: 'embedded', start, misbehaviours: [] })

t.test('the recommender of the namespace learns the events that have an item, each once', async t => {
  const { target, resources } = await openTarget(t, config)
  const { scopeOf } = createHolder(resources)
  const [a, b, again] = [eventBody('u', ['1']), eventBody('u', ['2'], { itemId: undefined }), eventBody('u', ['1'])]
  for (const body of [a, b, again]) t.equal(await target.deliver(body), undefined)
  const learned = async (namespace: string): Promise<number> => {
    const { query } = await (await recommenderOf(scopeOf(namespace))).model({})
    return query.recommend({ userId: undefined, numResults: 9, excludeSeen: true, parameters: defaultParameters }).length
  }
  t.equal(await learned('shop'), 1)
  t.equal(await learned('other'), 0)
})
