import t from 'tap'
import { sendEvents, startGateway } from '../support/gateway.ts'

t.test('conversions are not lost in silence', async t => {
  const { app } = await startGateway(t)
  const conversion = { recommender: 'for-you', metric: 'clicks' }
  const { statusCode, body } = await app.inject({ method: 'POST', url: '/events/store', payload: { userId: 'me', experimentConversions: [conversion] } })
  t.equal(statusCode, 200)
  t.same(JSON.parse(body), { targets: {}, conversions: 'not recorded: this build runs no experiments' })
})

t.test('events with an id that was sent before count once, and are acknowledged again', async t => {
  const { app } = await startGateway(t)
  const ratings = async (): Promise<unknown> => (await app.inject('/recommend-items/store/for-you/nobody')).json()
  const event = { eventType: 'purchase', itemId: 'cup', eventId: 'once' }
  await sendEvents(t, app, 'a', ['tea', 'tea'])
  await sendEvents(t, app, 'b', [], { eventList: [event, event] })
  const before = await ratings()
  await sendEvents(t, app, 'b', [], { eventList: [event] })
  t.same(await ratings(), before)
})
