import t from 'tap'
import { ownedId, type OwnedEvent } from '../../src/base/owned-id.ts'

t.test('an eventId is compared within one user, or within one session where there is no user', async t => {
  const event = { userId: 'u', sessionId: 's', eventId: '1' }
  t.equal(ownedId({ ...event, sessionId: 'another' }), ownedId(event), 'whatever the session')
  const events: OwnedEvent[] = [
    event, { ...event, eventId: '2' }, { ...event, userId: 'v' }, { sessionId: 's', eventId: '1' }, { sessionId: 'u', eventId: '1' },
    { userId: 'u1', eventId: '' }, { userId: '1:u', eventId: '1' }, { userId: 'u\n', eventId: '1' }, { userId: 'u', eventId: '\n1' }
  ]
  t.equal(new Set(events.map(ownedId)).size, events.length, 'no two of different owners are the same')
})
