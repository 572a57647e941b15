import t from 'tap'
import type { EventBody } from '../../../src/targets/body.ts'
import { GatewayError } from '../../../src/base/errors.ts'
import { UserError } from '../../../src/base/user-error.ts'
import { deadTarget, heldAnswer, recordingTarget, testBody, testDispatch } from '../../support/event-targets.ts'
import { eventually } from '../../support/eventually.ts'
import { drained, keys, lacking, startQueued } from '../../support/queued.ts'
import { needsRedis, startRedis } from '../../support/redis-server.ts'
import { testPlan } from '../../support/test-plan.ts'

// The tests mostly wait for processes and timeouts of their own.
t.jobs = 3

const bodiesOf = (users: number, each: number): EventBody[] =>
  Array.from({ length: users * each }, (_, i) => testBody([`u${i % users}-${Math.floor(i / users)}`], { userId: `u${i % users}` }))

t.test('what is accepted reaches the target once, in the order of its user, and leaves Redis', needsRedis, async t => {
  const redis = await startRedis(t)
  const inner = recordingTarget()
  const { target, stats } = await startQueued(t, redis.url, inner)
  const bodies = bodiesOf(20, 100)
  t.strictSame(await Promise.all(bodies.map(async body => target.deliver(body))), bodies.map(() => undefined))
  await drained(redis.client)
  t.equal(inner.bodies.length, 2_000)
  for (let user = 0; user < 20; user++) {
    t.strictSame(inner.eventIds.filter(id => id.startsWith(`u${user}-`)), Array.from({ length: 100 }, (_, i) => `u${user}-${i}`))
  }
  t.strictSame(inner.bodies.find(({ userId }) => userId === 'u7'), bodies[7], 'as it was')
  t.match(stats, { delivered: 2_000, retried: 0, redelivered: 0, deadLettered: 0 })
  await eventually('the gauge says so', () => [...stats.streams].every(({ waiting }) => waiting === 0))
})

t.test('what the target does not have goes again, and nothing else; later events of that user wait, others do not', needsRedis, async t => {
  const redis = await startRedis(t)
  let again = 0
  const inner = recordingTarget(async body => body.events.some(({ eventId }) => eventId === 'b') && ++again < 4 ? lacking(body, ['b', 'c'].filter(id => body.events.some(({ eventId }) => eventId === id))) : undefined)
  const { target, stats } = await startQueued(t, redis.url, inner, { firstPause: 50 })
  await target.deliver(testBody(['a', 'b', 'c']))
  await target.deliver(testBody(['d']))
  await target.deliver(testBody(['other'], { userId: 'v' }))
  await drained(redis.client)
  t.strictSame(inner.eventIds.filter(id => id !== 'other'), ['a', 'b', 'c', 'b', 'c', 'b', 'c', 'b', 'c', 'd'])
  t.ok(inner.eventIds.indexOf('other') < 5, 'another user has not waited')
  t.match(stats, { delivered: 5, retried: 6, deadLettered: 0 })
})

t.test('events are tried for as long as the target is away, and so often only while it takes others', needsRedis, async t => {
  const redis = await startRedis(t)
  let away = true
  const inner = recordingTarget(async body => away || body.userId === 'poison' ? lacking(body, body.events.map(({ eventId }) => eventId)) : undefined)
  const { target, stats } = await startQueued(t, redis.url, inner, { mostTries: 3 })
  await target.deliver(testBody(['p'], { userId: 'poison' }))
  await target.deliver(testBody(['a']))
  await eventually('both were tried many times', () => inner.bodies.length > 20)
  t.equal(await redis.client.xlen(keys.dead), 0)
  away = false
  for (let i = 0; await redis.client.xlen(keys.dead) === 0; i++) {
    await target.deliver(testBody([`b${i}`]))
    await eventually('it arrives', () => inner.eventIds.includes(`b${i}`))
  }
  t.equal(await redis.client.xlen(keys.dead), 1)
  t.equal(inner.eventIds.filter(id => id === 'a').length > 1, true)
  t.match(stats, { deadLettered: 1 })
})

t.test('what the target throws is tried again', needsRedis, async t => {
  const redis = await startRedis(t)
  let calls = 0
  const inner = recordingTarget(async () => { if (++calls < 3) throw new Error('broken'); return undefined })
  const { target } = await startQueued(t, redis.url, inner)
  await target.deliver(testBody(['a']))
  await drained(redis.client)
  t.strictSame(inner.eventIds, ['a', 'a', 'a'])
})

t.test('too many that wait are too many: who sends more is told so before any is sent', needsRedis, async t => {
  const redis = await startRedis(t)
  const { answer, settle } = heldAnswer()
  const inner = recordingTarget(answer)
  const { target } = await startQueued(t, redis.url, inner, { mostWaiting: 3 })
  const { dispatch, stats } = testDispatch()
  const namespace = testPlan([], { webhook: target }).namespaces.get('shop')!
  for (const id of ['a', 'b', 'c']) t.strictSame(await dispatch(namespace, [testBody([id], { userId: id })]), [new Map()])
  const refusal = await dispatch(namespace, [testBody(['d'])]).catch((error: unknown) => error)
  t.match(refusal, { code: 'EventQueueFull', status: 429, message: /"webhook"/ })
  t.ok(refusal instanceof GatewayError)
  t.match(stats.of('shop', 'webhook'), { accepted: 3, turnedAway: 1, delivered: 0 })
  settle()
  await eventually('there is room again', () => target.full === false)
  t.strictSame(await dispatch(namespace, [testBody(['d'])]), [new Map()])
  await drained(redis.client)
  t.strictSame([...inner.eventIds].sort(), ['a', 'b', 'c', 'd'])
})

t.test('a full target is not given more', needsRedis, async t => {
  const redis = await startRedis(t)
  const inner = recordingTarget()
  const { target, stats } = await startQueued(t, redis.url, inner)
  await target.deliver(testBody(['a']))
  await drained(redis.client)
  inner.full = true
  // One read may be under way still.
  for (const id of ['b', 'c', 'd']) await target.deliver(testBody([id]))
  await eventually('an event waits that nobody took', async () => ((await redis.client.xpending(keys.waiting, 'gateway')) as [number])[0] < await redis.client.xlen(keys.waiting))
  await eventually('it does so when lengths are looked at', () => [...stats.streams].some(({ waiting }) => waiting > 0))
  t.notOk(inner.eventIds.includes('d'))
  inner.full = false
  await drained(redis.client)
  t.strictSame(inner.eventIds, ['a', 'b', 'c', 'd'])
})

t.test('while Redis is away callers are told; when it is back all goes on, with what it kept', needsRedis, async t => {
  const redis = await startRedis(t, { persistence: 'aof', more: ['--appendfsync', 'always'] })
  const { answer, settle } = heldAnswer()
  const inner = recordingTarget(answer)
  const { target } = await startQueued(t, redis.url, inner)
  t.equal(await target.deliver(testBody(['a'])), undefined)
  await eventually('it is under way', () => inner.bodies.length === 1)
  await redis.kill()
  t.match(await target.deliver(testBody(['b', 'c'])), { retryable: true, eventIds: ['b', 'c'], reason: 'Redis did not confirm them' })
  settle()
  await redis.restart()
  await eventually('it takes events again', async () => await target.deliver(testBody(['d'])) === undefined)
  await drained(redis.client)
  t.strictSame(inner.eventIds, ['a', 'd'], 'what was delivered meanwhile was acknowledged later')
})

t.test('a Redis that lost everything does not stop anything', needsRedis, async t => {
  const redis = await startRedis(t)
  const inner = recordingTarget()
  const { target } = await startQueued(t, redis.url, inner)
  await target.deliver(testBody(['a']))
  await drained(redis.client)
  await redis.restart()
  await eventually('it takes events again', async () => await target.deliver(testBody(['b'])) === undefined)
  await eventually('they arrive', () => inner.eventIds.includes('b'))
  await redis.client.flushall()
  await target.deliver(testBody(['c']))
  await eventually('they arrive again', () => inner.eventIds.includes('c'))
})

t.test('it works on a cluster, too', needsRedis, async t => {
  const redis = await startRedis(t, { cluster: true })
  const inner = recordingTarget(async body => body.userId === 'bad' ? lacking(body, ['b'], false) : undefined)
  const { target } = await startQueued(t, redis.url, inner)
  await target.deliver(testBody(['a']))
  await target.deliver(testBody(['b'], { userId: 'bad' }))
  await drained(redis.client)
  t.strictSame([...inner.eventIds].sort(), ['a', 'b'])
  t.equal(await redis.client.xlen(keys.dead), 1)
})

t.test('a Redis that deletes what it has no room for is no place for events, and the log says so', needsRedis, async t => {
  const redis = await startRedis(t, { more: ['--maxmemory', '50mb', '--maxmemory-policy', 'allkeys-lru'] })
  const { errors } = await startQueued(t, redis.url, recordingTarget())
  await eventually('it says so', () => errors.some(error => /maxmemory-policy/.test(String(error))))
  await redis.client.config('SET', 'maxmemory-policy', 'volatile-lru')
  const { errors: none, target } = await startQueued(t, redis.url, recordingTarget())
  await target.deliver(testBody(['a']))
  await drained(redis.client)
  t.strictSame(none, [])
})

t.test('without a Redis it cannot be', async t => {
  await t.rejects(startQueued(t, undefined as unknown as string, deadTarget()), new UserError('an event target of the configuration needs Redis; expected its address in REDIS_URL'))
})

t.test('an owner who has many bodies waiting in Redis is turned away alone, by each instance, until they are delivered', needsRedis, async t => {
  const redis = await startRedis(t)
  const held = heldAnswer()
  const inner = recordingTarget(async body => body.userId === 'hot' ? held.answer() : undefined)
  const [one, other] = [await startQueued(t, redis.url, inner, { mostOfOwner: 5 }), await startQueued(t, redis.url, inner, { mostOfOwner: 5 })]
  const isFull = ({ target }: typeof one, userId: string): boolean => target.isFullFor!(testBody([], { userId }))
  for (let i = 0; i < 5; i++) {
    t.notOk(isFull(one, 'hot'))
    await one.target.deliver(testBody([`hot-${i}`], { userId: 'hot' }))
  }
  await eventually('its share is used', () => isFull(one, 'hot'))
  await other.target.deliver(testBody(['hot-5'], { userId: 'hot' }))
  await eventually('the other instance knows it, too', () => isFull(other, 'hot'))
  t.strictSame([isFull(one, 'u'), one.target.full], [false, false])
  await one.target.deliver(testBody(['a']))
  await eventually('another user is not held back', () => inner.eventIds.includes('a'))
  held.settle()
  await drained(redis.client)
  await eventually('it may come again', () => !isFull(one, 'hot') && !isFull(other, 'hot'))
  await eventually('no count is left', async () => (await redis.client.keys('*:of:*')).length === 0)
})
