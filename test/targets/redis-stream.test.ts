import t, { type Test } from 'tap'
import { UserError } from '../../src/base/user-error.ts'
import { validateDocument } from '../../src/config/validate.ts'
import { eventTargetContract, type Misbehaviour, type TargetUnderTest } from '../contracts/event-target.ts'
import { bodiesOf, eventBody } from '../support/event-bodies.ts'
import { arrivalsOf, type EventRecord } from '../support/event-records.ts'
import { eventually } from '../support/eventually.ts'
import { openTarget } from '../support/open-target.ts'
import { startRedisProxy } from '../support/redis-proxy.ts'
import { needsRedis, startRedis, type RedisServer } from '../support/redis-server.ts'

// The tests mostly wait for processes and timeouts of their own.
t.jobs = 3

const config = { type: 'redis-stream', stream: 'shop events' }

/** The values of the field of each entry, in their order. */
async function entries ({ client }: RedisServer): Promise<string[]> {
  return (await client.xrange(config.stream, '-', '+')).map(([, fields]) => {
    const [name, value, ...more] = fields
    if (name !== 'record' || more.length > 0) throw new Error(`expected the field "record"; got ${fields.join()}`)
    return value!
  })
}

async function start (t: Test): Promise<TargetUnderTest> {
  const server = await startRedis(t)
  const proxy = await startRedisProxy(t, server.port)
  const misbehave = (how?: Misbehaviour): void => {
    if (how === 'away') proxy.cut()
    else if (how === 'hang') proxy.stall()
    else proxy.mend()
  }
  return {
    config,
    resources: { redisUrl: proxy.url },
    arrived: async () => arrivalsOf((await entries(server)).map(text => JSON.parse(text) as EventRecord)),
    text: async () => (await entries(server)).join('\n'),
    misbehave
  }
}

eventTargetContract({ type: 'redis-stream', records: true, start, misbehaviours: ['away', 'hang'], skip: needsRedis.skip })

t.test('the oldest go where the stream is long enough', needsRedis, async t => {
  const server = await startRedis(t)
  const { target } = await openTarget(t, { ...config, maxLength: 200 }, { redisUrl: server.url })
  const bodies = bodiesOf(1_000, 1)
  t.strictSame([...new Set(await Promise.all(bodies.map(async body => target.deliver(body))))], [undefined])
  const kept = await server.client.xlen(config.stream)
  t.ok(kept >= 200 && kept < 400, `${kept} are kept`)
  t.match((await entries(server)).at(-1), 'event-999')
})

t.test('a key that holds something else is a matter of the configuration', needsRedis, async t => {
  const server = await startRedis(t)
  await server.client.set(config.stream, 'text')
  const { target } = await openTarget(t, config, { redisUrl: server.url })
  t.match(await target.deliver(eventBody('user', ['a'])), { retryable: true, reason: 'it does not know us, or what the configuration names', eventIds: ['a'] })
})

t.test('what a Redis that is full refuses is tried again', needsRedis, async t => {
  const server = await startRedis(t)
  await server.client.config('SET', 'maxmemory', '1')
  const { target, resources } = await openTarget(t, config, { redisUrl: server.url })
  const delivering = target.deliver(eventBody('user', ['a']))
  await eventually('it is tried again', () => resources.eventStats.of('shop', 'redis-stream').retried > 0)
  await server.client.config('SET', 'maxmemory', '0')
  t.equal(await delivering, undefined)
  t.equal((await entries(server)).length, 1)
})

t.test('it needs a Redis', async t => {
  await t.rejects(openTarget(t, config), new UserError('an event target of the configuration needs Redis; expected its address in REDIS_URL'))
})

t.test('a configuration is told what is wrong with it', async t => {
  const findings = (own: object): string[] => {
    const document = { version: '1', namespaces: { shop: { name: 'Shop', eventTargets: [{ type: 'redis-stream', ...own }] } } }
    return validateDocument(document).findings.filter(({ pointer }) => pointer.includes('eventTargets')).map(({ pointer, message }) => `${pointer.replace('/namespaces/shop/eventTargets/0/', '')} ${message}`)
  }
  t.strictSame(findings({ stream: 'shop:events', maxLength: 1 }), [])
  t.strictSame(findings({ stream: 'personalization:events' }), ['stream must not begin with "personalization:", as what the gateway keeps itself'])
  for (const stream of ['', 'ü', 'a\nb', 'x'.repeat(513)]) t.match(findings({ stream }), ['stream expected a string'])
  for (const maxLength of [0, 1.5, 1_000_000_001]) t.strictSame(findings({ stream: 's', maxLength }), ['maxLength expected an integer from 1 to 1000000000'])
})
