import t from 'tap'
import { dropLetters, listLetters, retryLetters } from '../../../src/targets/queued/dead-letters.ts'
import { recordingTarget, testBody } from '../../support/event-targets.ts'
import { drained, keys, lacking, startQueued } from '../../support/queued.ts'
import { needsRedis, startRedis } from '../../support/redis-server.ts'

t.test('what a target refuses for good becomes a dead letter; it can be sent again', needsRedis, async t => {
  const redis = await startRedis(t)
  let refuses = true
  const inner = recordingTarget(async body => refuses && body.userId === 'poison' ? lacking(body, ['b'], false) : undefined)
  const { target, stats, errors } = await startQueued(t, redis.url, inner)
  const begun = Date.now()
  await target.deliver(testBody(['a', 'b'], { userId: 'poison' }))
  await target.deliver(testBody(['c'], { userId: 'poison' }))
  await drained(redis.client)
  const letters = await listLetters(redis.client, keys, 100)
  t.match(letters, [{ id: /^\d+-0$/, tries: 1, reason: 'no power', user: 'poison', events: 1 }, { events: 1 }])
  t.ok(letters.every(({ time }) => time >= begun && time <= Date.now()))
  t.match(stats, { delivered: 1, deadLettered: 2, retried: 0 })
  t.match(errors, [{ message: /given up/ }], 'the log says so')
  refuses = false
  t.equal(await retryLetters(redis.client, keys, { ids: [letters[0]!.id, '1-1'] }), 1)
  await drained(redis.client)
  t.strictSame(inner.bodies.at(-1), testBody(['b'], { userId: 'poison' }), 'only what it did not have')
  t.equal((await listLetters(redis.client, keys, 100)).length, 1)
  t.equal(await dropLetters(redis.client, keys, { oldest: Infinity }), 1)
  t.strictSame(await listLetters(redis.client, keys, 100), [])
})

t.test('many letters are shown, sent again and deleted, the oldest first', needsRedis, async t => {
  const redis = await startRedis(t)
  const bodies = Array.from({ length: 1_000 }, (_, i) => testBody([`e${i}`]))
  await Promise.all(bodies.map(async body => redis.client.xadd(keys.dead, '*', 'body', JSON.stringify(body), 'reason', 'r', 'tries', 2, 'time', 1)))
  t.equal((await listLetters(redis.client, keys, 450)).length, 450)
  t.equal((await listLetters(redis.client, keys, 5_000)).length, 1_000)
  t.equal(await dropLetters(redis.client, keys, { oldest: 250 }), 250)
  t.equal(await retryLetters(redis.client, keys, { oldest: Infinity }), 750)
  t.equal(await redis.client.xlen(keys.dead), 0)
  const inner = recordingTarget()
  await startQueued(t, redis.url, inner)
  await drained(redis.client)
  t.strictSame(inner.eventIds, bodies.slice(250).map(({ events }) => events[0]!.eventId))
})

t.test('what is no body does not hold up others', needsRedis, async t => {
  const redis = await startRedis(t)
  for (const text of ['{', 'null', '{"events":[]}', '']) await redis.client.xadd(keys.waiting, '*', 'body', text)
  const inner = recordingTarget()
  const { target } = await startQueued(t, redis.url, inner)
  await target.deliver(testBody(['a']))
  await drained(redis.client)
  t.strictSame(inner.eventIds, ['a'])
  t.match(await listLetters(redis.client, keys, 10), Array.from({ length: 4 }, () => ({ reason: 'it cannot be read', user: null, events: 0, tries: 0 })))
  t.equal(await retryLetters(redis.client, keys, { oldest: 1 }), 1)
  await drained(redis.client)
  t.equal(await redis.client.xlen(keys.dead), 4)
})
