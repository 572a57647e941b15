import t from 'tap'
import { heldAnswer, recordingTarget, testBody } from '../../support/event-targets.ts'
import { eventually } from '../../support/eventually.ts'
import { drained, keys, lacking, startQueued } from '../../support/queued.ts'
import { startRedisProxy } from '../../support/redis-proxy.ts'
import { needsRedis, startRedis } from '../../support/redis-server.ts'

// The tests mostly wait for processes and timeouts of their own.
t.jobs = 3

const idsOf = (count: number): string[] => Array.from({ length: count }, (_, i) => `e${i}`)

t.test('instances share what waits', needsRedis, async t => {
  const redis = await startRedis(t)
  const inners = [recordingTarget(), recordingTarget()]
  const [one] = await Promise.all(inners.map(async inner => startQueued(t, redis.url, inner)))
  const ids = idsOf(1_000)
  await Promise.all(ids.map(async id => one!.target.deliver(testBody([id], { userId: id }))))
  await drained(redis.client)
  t.strictSame(inners.flatMap(({ eventIds }) => eventIds).sort(), [...ids].sort(), 'each is delivered once')
})

t.test('what an instance had in hand when it was lost another delivers, and only that', needsRedis, async t => {
  const redis = await startRedis(t)
  const proxy = await startRedisProxy(t, redis.port)
  const never = heldAnswer()
  t.teardown(() => never.settle())
  const lost = recordingTarget(async ({ userId }) => userId === 'quick' ? undefined : never.answer())
  const ill = await startQueued(t, proxy.url, lost)
  const quick = idsOf(30).map(id => `quick-${id}`)
  const stuck = idsOf(70).map(id => `stuck-${id}`)
  for (const id of quick) await ill.target.deliver(testBody([id], { userId: 'quick' }))
  for (const id of stuck) await ill.target.deliver(testBody([id, `${id}-too`], { userId: id }))
  await eventually('some are acknowledged, the others under way', async () => await redis.client.xlen(keys.waiting) === 70 && lost.bodies.length === 100)
  proxy.cut()
  const heir = recordingTarget()
  const { stats } = await startQueued(t, redis.url, heir)
  await drained(redis.client)
  t.strictSame([...heir.eventIds].sort(), stuck.flatMap(id => [id, `${id}-too`]).sort())
  t.equal(stats.redelivered, 140, 'and it is known how many events may be there twice')
  await eventually('who is gone and has nothing is forgotten', async () => (await redis.client.xinfo('CONSUMERS', keys.waiting, 'gateway') as unknown[]).length === 1)
})

t.test('however much an instance had in hand, another takes it over at once', needsRedis, async t => {
  const redis = await startRedis(t)
  const proxy = await startRedisProxy(t, redis.port)
  const never = heldAnswer()
  t.teardown(() => never.settle())
  const lost = recordingTarget(never.answer)
  const ill = await startQueued(t, proxy.url, lost)
  const ids = idsOf(300)
  await Promise.all(ids.map(async id => ill.target.deliver(testBody([id], { userId: id }))))
  await eventually('all are under way', () => lost.bodies.length === 300)
  proxy.cut()
  const taken: number[] = []
  const heir = recordingTarget(async () => { taken.push(performance.now()); return undefined })
  const searchEvery = 1_500
  await startQueued(t, redis.url, heir, { searchEvery })
  await drained(redis.client)
  t.strictSame([...heir.eventIds].sort(), [...ids].sort())
  t.ok(taken.at(-1)! - taken[0]! < searchEvery, 'by one search')
})

t.test('an instance that lives keeps what it has, however long it takes', needsRedis, async t => {
  const redis = await startRedis(t)
  const { answer, settle } = heldAnswer()
  const [slow, other] = [recordingTarget(answer), recordingTarget()]
  const { target } = await startQueued(t, redis.url, slow)
  await target.deliver(testBody(['a']))
  await eventually('it is under way', () => slow.bodies.length === 1)
  await startQueued(t, redis.url, other, { goneAfter: 600 })
  const idle = async (): Promise<number> => (await redis.client.xpending(keys.waiting, 'gateway', '-', '+', 1) as Array<[string, string, number, number]>)[0]![2]
  await eventually('it has been under way for long', async () => await idle() > 1_800)
  t.equal(other.bodies.length, 0)
  settle()
  await drained(redis.client)
  t.equal(other.bodies.length, 0)
})

t.test('what Redis gave it in an answer that was lost is delivered', needsRedis, async t => {
  const redis = await startRedis(t)
  const inner = recordingTarget()
  const { target, stats } = await startQueued(t, redis.url, inner)
  await target.deliver(testBody(['a']))
  await drained(redis.client)
  const [[, name]] = await redis.client.xinfo('CONSUMERS', keys.waiting, 'gateway') as [[string, string]]
  await redis.client.multi()
    .xadd(keys.waiting, '*', 'body', JSON.stringify(testBody(['b'])))
    .xreadgroup('GROUP', 'gateway', name, 'STREAMS', keys.waiting, '>')
    .exec()
  await drained(redis.client)
  t.strictSame(inner.eventIds, ['a', 'b'])
  t.equal(stats.redelivered, 0, 'it was never there before')
})

t.test('who closes lets end what is under way, acknowledges it, and leaves the rest', needsRedis, async t => {
  const redis = await startRedis(t)
  const { answer, settle } = heldAnswer()
  const inner = recordingTarget(async body => body.userId === 'away' ? lacking(body, ['b']) : answer())
  const { target, close } = await startQueued(t, redis.url, inner, { firstPause: 60_000, longestPause: 60_000 })
  await target.deliver(testBody(['a']))
  await target.deliver(testBody(['b'], { userId: 'away' }))
  await eventually('they are under way', () => inner.bodies.length === 2)
  const closing = close()
  settle()
  await closing
  const left = await redis.client.xrange(keys.waiting, '-', '+')
  t.equal(left.length, 1)
  t.match(left[0]![1][1], /"eventId":"b"/)
  const heir = recordingTarget()
  await startQueued(t, redis.url, heir)
  await drained(redis.client)
  t.strictSame(heir.eventIds, ['b'])
})

t.test('closing does not wait for ever', needsRedis, async t => {
  const redis = await startRedis(t)
  const never = heldAnswer()
  t.teardown(() => never.settle())
  const inner = recordingTarget(never.answer)
  const { target, close } = await startQueued(t, redis.url, inner)
  await target.deliver(testBody(['a']))
  await eventually('it is under way', () => inner.bodies.length === 1)
  const begun = performance.now()
  await close()
  t.ok(performance.now() - begun < 3_000)
  t.equal(await redis.client.xlen(keys.waiting), 1)
})

t.test('a configuration that names the target alike goes on with it', needsRedis, async t => {
  const redis = await startRedis(t)
  const [first, second] = [recordingTarget(), recordingTarget()]
  const { target, open, stats } = await startQueued(t, redis.url, first)
  const { target: same } = await open(second, { type: 'webhook' })
  t.equal(stats.streams.size, 1)
  await target.deliver(testBody(['a']))
  await same.deliver(testBody(['b']))
  await drained(redis.client)
  t.strictSame(first.eventIds, ['a', 'b'])
})

t.test('of two configurations that one delivers which accepts', needsRedis, async t => {
  const redis = await startRedis(t)
  const [before, after] = [recordingTarget(), recordingTarget()]
  const { target, open } = await startQueued(t, redis.url, before)
  const { target: next } = await open(after, { type: 'webhook', url: 'elsewhere' })
  await target.deliver(testBody(['a']))
  await drained(redis.client)
  t.equal(after.bodies.length, 0, 'it may be that it never serves')
  await next.deliver(testBody(['b']))
  await eventually('it arrives', () => before.bodies.length + after.bodies.length === 2)
  await drained(redis.client)
  for (const id of ['c', 'd', 'e']) await next.deliver(testBody([id]))
  await drained(redis.client)
  t.strictSame(after.eventIds.slice(-3), ['c', 'd', 'e'])
  await target.deliver(testBody(['f']))
  await drained(redis.client)
  for (const id of ['g', 'h']) await target.deliver(testBody([id]))
  await drained(redis.client)
  t.strictSame(before.eventIds.slice(-2), ['g', 'h'])
})
