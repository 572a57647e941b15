import t from 'tap'
import { embedded } from '../../src/events/embedded.ts'
import { defaultParameters } from '../../src/origins/embedded.ts'
import { recommenderOf } from '../../src/recommender/of-namespace.ts'
import { createHolder } from '../../src/scope.ts'
import { testResources } from '../support/test-resources.ts'

t.test('the recommender of the namespace learns the events that have an item', async t => {
  const resources = testResources(t.testdir())
  t.teardown(resources.close)
  const { scopeOf } = createHolder(resources)
  const target = await embedded.open!({ type: 'embedded' }, scopeOf('shop'))
  const event = { userId: 'u', eventType: 'view', sentAt: 1 }
  await target.deliver([{ ...event, eventId: '1', itemId: 'a' }, { ...event, eventId: '2' }, { ...event, eventId: '1', itemId: 'a' }])
  const learned = async (namespace: string): Promise<number> => {
    const { query } = await (await recommenderOf(scopeOf(namespace))).model({})
    return query.recommend({ userId: undefined, numResults: 9, excludeSeen: true, parameters: defaultParameters }).length
  }
  t.equal(await learned('shop'), 1)
  t.equal(await learned('other'), 0)
})
