import t from 'tap'
import { toEntry } from '../../../src/cli/replay/entry.ts'

const read = (text: string, number = 1): { owner: string, events: number, body: unknown } => {
  const entry = toEntry({ number, text })
  if ('problem' in entry) throw new Error(entry.problem)
  return { owner: entry.owner, events: entry.events, body: JSON.parse(entry.body) }
}

t.test('a body is sent as it is, an event as a body of its own', async t => {
  const body = { userId: 'u', eventList: [{ eventType: 'view', eventId: 'a' }, { eventType: 'view', eventId: 'b' }] }
  t.strictSame(read(JSON.stringify(body)), { owner: 'u', events: 2, body })
  t.strictSame(read('{"sessionId":"s","eventType":"view","itemId":"i","eventId":"a","sentAt":1700000000}'),
    { owner: 's', events: 1, body: { sessionId: 's', eventList: [{ eventType: 'view', itemId: 'i', eventId: 'a', sentAt: 1_700_000_000 }] } })
  const conversions = { userId: 'u', experimentConversions: [{ recommender: 'r', metric: 'm' }] }
  t.strictSame(read(JSON.stringify(conversions)), { owner: 'u', events: 0, body: conversions })
})

t.test('an event without an id gets one of its line and what stands there', async t => {
  const idsOf = (text: string, number?: number): string[] => (read(text, number).body as { eventList: Array<{ eventId: string }> }).eventList.map(({ eventId }) => eventId)
  const event = '{"userId":"u","eventType":"view"}'
  t.strictSame(idsOf(event), idsOf(event))
  t.notSame(idsOf(event, 1), idsOf(event, 2))
  t.notSame(idsOf(event), idsOf('{"userId":"v","eventType":"view"}'))
  const [first, given, third] = idsOf('{"userId":"u","eventList":[{},{"eventId":"given"},{}]}')
  t.equal(given, 'given')
  t.not(first, third)
  t.ok(first!.length <= 256)
})

t.test('what is no JSON object cannot be sent', async t => {
  t.match(toEntry({ number: 3, text: '{"userId":' }), { line: 3, problem: 'is not JSON', text: '{"userId":' })
  for (const text of ['[]', '1', 'null', '"text"']) t.match(toEntry({ number: 1, text }), { problem: 'expected a JSON object' })
})
