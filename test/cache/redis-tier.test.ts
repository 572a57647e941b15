import t, { type Test } from 'tap'
import { entityTag, type Entry } from '../../src/cache/entry.ts'
import type { User } from '../../src/cache/user-versions.ts'
import { eventually } from '../support/eventually.ts'
import { agreed, openTestLink, openTestLinks, testEntry, type TestLink } from '../support/redis-link.ts'
import { needsRedis, startRedis, type RedisServer } from '../support/redis-server.ts'

const user: User = { namespace: 'shop', userId: 'a-very-recognisable-user' }

/** Keeps an answer as the cache does: under the version that was read before it was made. */
async function keep ({ tier }: TestLink, key: string, who: User | undefined, entry: Entry): Promise<void> {
  const read = await tier.get(key, who)
  tier.set(key, who, entry, read!.version)
  await eventually('it is kept', async () => (await tier.get(key, who))?.entry !== undefined)
}

async function has ({ tier }: TestLink, key: string, who: User | undefined): Promise<string | undefined> {
  const answer = await tier.get(key, who)
  if (answer === undefined) throw new Error('Redis did not answer')
  return answer.entry?.body.toString()
}

async function twoLinks (t: Test, redis?: RedisServer): Promise<[TestLink, TestLink, RedisServer]> {
  const server = redis ?? await startRedis(t)
  const [a, b] = await openTestLinks(t, server.url, 2)
  return [a!, b!, server]
}

t.test('an entry comes back as it was, with every byte of its body', needsRedis, async t => {
  const [a, b] = await twoLinks(t)
  const bytes = Buffer.from(Array.from({ length: 2_000 }, (_, i) => i % 256))
  const entry: Entry = { ...testEntry('ignored'), body: bytes, etag: entityTag(bytes), variation: 'größer', degraded: 'timeout' }
  await keep(a, 'for-a-user', user, entry)
  await keep(a, 'for-all', undefined, testEntry('{"a":"\n\n"}'))
  t.same((await b.tier.get('for-a-user', user))!.entry, entry)
  t.equal(await has(b, 'for-all', undefined), '{"a":"\n\n"}')
  t.equal(await has(b, 'another', user), undefined)
  t.equal(await has(b, 'for-a-user', { ...user, namespace: 'other' }), undefined)
})

t.test('an announcement outdates the entries of the user at every instance, and of nobody else', needsRedis, async t => {
  const [a, b] = await twoLinks(t)
  const other = { ...user, userId: 'somebody-else' }
  await keep(a, 'one', user, testEntry('one'))
  await keep(a, 'one', other, testEntry('other'))
  await keep(a, 'all', undefined, testEntry('all'))
  const begunAt = b.versions.now
  await a.versions.raise(user)
  await eventually('the other has heard', () => b.versions.now > begunAt)
  for (const link of [a, b]) {
    t.equal(await has(link, 'one', user), undefined)
    t.equal(await has(link, 'one', other), 'other')
    t.equal(await has(link, 'all', undefined), 'all')
  }
})

t.test('what began to be made before an event never counts, however late it is kept', needsRedis, async t => {
  const [a, b] = await twoLinks(t)
  const newcomer = { ...user, userId: 'newcomer' }
  await keep(a, 'seen', user, testEntry('first'))
  for (const who of [user, newcomer]) {
    const early = await b.tier.get('late', who)
    await a.versions.raise(who)
    b.tier.set('late', who, testEntry('late'), early!.version)
    // Commands of one connection take effect in order.
    await b.tier.get('late', who)
    for (const link of [a, b]) t.equal(await has(link, 'late', who), undefined)
    await keep(a, 'late', who, testEntry('after'))
    t.equal(await has(b, 'late', who), 'after')
  }
})

t.test('a version that was lost makes entries out of date for good', needsRedis, async t => {
  const [a, b, redis] = await twoLinks(t)
  await keep(a, 'old', user, testEntry('old'))
  const version = (await redis.client.keys('*')).find(key => key.endsWith('}'))!
  t.equal(await redis.client.del(version), 1)
  t.equal(await has(b, 'old', user), undefined)
  // The user gets a version again, which is another.
  await keep(b, 'new', user, testEntry('new'))
  t.equal(await has(a, 'old', user), undefined)
  await eventually('the other has it', async () => await has(a, 'new', user) === 'new')
})

t.test('a Redis that comes back with what it had before an event serves nothing of it to users', needsRedis, async t => {
  const [a, b, redis] = await twoLinks(t, await startRedis(t, { persistence: 'rdb' }))
  await keep(a, 'mine', user, testEntry('mine'))
  await keep(a, 'all', undefined, testEntry('all'))
  await redis.client.save()
  await a.versions.raise(user)
  t.equal(await has(b, 'mine', user), undefined)
  const { epoch } = a.link
  await redis.restart()
  await eventually('a new epoch', () => a.link.epoch !== epoch)
  await agreed([a, b])
  // One that was not there before knows, too.
  const late = openTestLink(t, redis.url)
  await agreed([a, late])
  for (const link of [a, b, late]) {
    t.equal(await has(link, 'mine', user), undefined)
    t.equal(await has(link, 'all', undefined), 'all')
  }
})

t.test('one that starts alone with a Redis that was restarted relies on nothing in it either', needsRedis, async t => {
  const redis = await startRedis(t, { persistence: 'rdb' })
  const before = openTestLink(t, redis.url)
  await agreed([before])
  await keep(before, 'mine', user, testEntry('mine'))
  await redis.client.save()
  await before.link.close()
  await redis.restart()
  const after = openTestLink(t, redis.url)
  await agreed([after])
  t.equal(await has(after, 'mine', user), undefined)
})

t.test('instances agree on an epoch again where its key is lost, and entries of users do not survive it', needsRedis, async t => {
  const [a, b, redis] = await twoLinks(t)
  await keep(a, 'mine', user, testEntry('mine'))
  const { epoch } = a.link
  await redis.client.del('personalization:{link}:epoch')
  await eventually('a new epoch', () => a.link.epoch !== epoch && a.link.epoch === b.link.epoch)
  for (const link of [a, b]) t.equal(await has(link, 'mine', user), undefined)
  await redis.client.set('personalization:{link}:epoch', 'elsewhere.1')
  await eventually('that of others', () => a.link.epoch === 'elsewhere.1' && b.link.epoch === 'elsewhere.1')
})

t.test('one user is in one slot of a cluster, and all commands are taken there', needsRedis, async t => {
  const redis = await startRedis(t, { cluster: true })
  // A busy machine may need more than the patience of a request, which would count as an error.
  const a = openTestLink(t, redis.url, { patience: 5_000 })
  await agreed([a])
  const b = openTestLink(t, redis.url, { patience: 5_000 })
  await agreed([a, b])
  const other = { namespace: 'shop', userId: 'other' }
  // At once, so that they go in one pipeline.
  await Promise.all([keep(a, '1', user, testEntry('1')), keep(a, '2', user, testEntry('2')), keep(a, '1', other, testEntry('3')), keep(a, '4', undefined, testEntry('4'))])
  t.same(await Promise.all([has(b, '1', user), has(b, '2', user), has(b, '1', other), has(b, '4', undefined)]), ['1', '2', '3', '4'])
  await b.versions.raise(user)
  t.same(await Promise.all([has(a, '1', user), has(a, '2', user), has(a, '1', other)]), [undefined, undefined, '3'])
  const keys = (await redis.client.keys('*')).filter(key => !key.includes('{link}'))
  const slots = await Promise.all(keys.map(async key => redis.client.cluster('KEYSLOT', key)))
  t.equal(keys.length, 6, 'three of the one user, two of the other, one of nobody')
  t.equal(new Set(slots).size, 3)
  t.equal(a.stats.redisErrors + b.stats.redisErrors, 0)
})

t.test('no key tells a user, and every key but those of the link ends in time', needsRedis, async t => {
  const [a, , redis] = await twoLinks(t)
  const day = 86_400_000
  const key = JSON.stringify(['1', 'recommend-items', 'shop', 'home', user.userId])
  await keep(a, key, user, testEntry('short', 30_000))
  await keep(a, `${key} `, user, testEntry('long', 30 * day))
  await keep(a, key, undefined, testEntry('all', 30_000))
  await a.versions.raise({ ...user, userId: 'recognisable-2' })
  const keys = (await redis.client.keys('*')).sort()
  t.equal(keys.length, 9)
  t.notOk(keys.some(key => key.includes('recognisable')))
  t.ok(keys.every(key => /^personalization:\{(link\}:(epoch|beacon|server|writes)$|[\w-]{27}\}(:[\w-]{27})?$)/.test(key)), keys.join(' '))
  for (const key of keys) {
    const ttl = await redis.client.pttl(key)
    if (/:(epoch|server|writes)$/.test(key)) t.equal(ttl, -1)
    else t.ok(ttl > 0 && ttl <= day + 3_600_000, `${key} ${ttl}`)
  }
  const lives = await Promise.all(keys.filter(key => !key.includes('{link}')).map(async key => redis.client.pttl(key)))
  t.equal(lives.filter(ttl => ttl <= 30_000).length, 2, 'a short answer is not kept longer than it is of use')
  t.equal(lives.filter(ttl => ttl > day).length, 2, 'versions outlive every answer')
})

t.test('what is under a key and is no entry is a miss', needsRedis, async t => {
  const [a, b, redis] = await twoLinks(t)
  await keep(a, 'all', undefined, testEntry('all'))
  const [key] = (await redis.client.keys('*')).filter(key => !key.includes('{link}'))
  const good = (await redis.client.getBuffer(key!))!
  const cut = good.subarray(0, good.indexOf('"'))
  const otherFormat = Buffer.from(good)
  otherFormat[0] = '9'.charCodeAt(0)
  const random = Buffer.from(Array.from({ length: 300 }, (_, i) => (i * 7919) % 256))
  for (const bytes of [Buffer.alloc(0), Buffer.from('1'), Buffer.from('\n'.repeat(20)), cut, otherFormat, random]) {
    await redis.client.set(key!, bytes)
    t.equal(await has(b, 'all', undefined), undefined, bytes.toString('latin1').slice(0, 20))
  }
  await redis.client.del(key!)
  await redis.client.lpush(key!, 'a list')
  t.equal(await has(b, 'all', undefined), undefined, 'a key of another type')
  await redis.client.set(key!, good)
  t.equal(await has(b, 'all', undefined), 'all')
})

t.test('a Redis that hangs costs a lookup no more than the time that a command may take, and then nothing', needsRedis, async t => {
  const [a, , redis] = await twoLinks(t)
  await keep(a, 'mine', user, testEntry('mine'))
  redis.pause()
  const slow = performance.now()
  // More than one, of which the later wait for the earlier.
  const answers = await Promise.all(Array.from({ length: 20 }, async () => a.tier.get('mine', user)))
  const took = performance.now() - slow
  t.ok(answers.every(answer => answer === undefined))
  t.ok(took < 250, `${Math.round(took)} ms`)
  t.equal(a.link.up, false)
  const quick = performance.now()
  t.equal(await a.tier.get('mine', user), undefined)
  a.tier.set('mine', user, testEntry('mine'), `${a.link.epoch} `)
  t.ok(performance.now() - quick < 20)
  redis.resume()
  await agreed([a])
  await keep(a, 'mine', user, testEntry('again'))
})
