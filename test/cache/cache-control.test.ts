import t from 'tap'
import { describePolicy, noCache } from '../../src/cache/policy.ts'
import { cachePolicies, createCacheControlHeader, type CacheControl } from '../../src/cache/cache-control.ts'

const policy: CacheControl = {
  userSpecified: { maxAge: 10, directives: 'private' },
  syntheticUserSpecified: { maxAge: 300, directives: 'public' },
  noUserSpecified: { maxAge: 0, directives: 'no-store' }
}

const forUsers = (directives: string, maxAge = 5): CacheControl => ({ ...policy, userSpecified: { maxAge, directives } })

t.test('the header follows what is known of the user', async t => {
  const header = createCacheControlHeader(policy)
  t.equal(header('given', false, false), 'private,max-age=10')
  t.equal(header('synthetic', false, false), 'public,max-age=300')
  t.equal(header('none', false, false), 'no-store', 'without an age, the directives alone')
  t.equal(header('given', false, false), 'private,max-age=10', 'each time')
})

t.test('where there is nothing to say there is no header', async t => {
  t.equal(createCacheControlHeader(undefined)('given', false, false), undefined)
  t.equal(createCacheControlHeader({})('none', true, false), undefined, 'and a document need not say all')
  t.equal(createCacheControlHeader(forUsers('', 0))('given', false, false), undefined)
  t.equal(createCacheControlHeader(forUsers(''))('given', false, false), 'max-age=5')
})

t.test('an answer to be rid of soon is kept two seconds at most', async t => {
  const header = createCacheControlHeader({ ...policy, syntheticUserSpecified: { maxAge: 1, directives: 'public' } })
  t.equal(header('given', false, true), 'private,max-age=2')
  t.equal(header('synthetic', false, true), 'public,max-age=1', 'a shorter time stays')
  t.equal(header('none', false, true), 'no-store')
})

t.test('where the sender is known, no shared cache may keep what is for a user', async t => {
  for (const [directives, expected] of [
    ['', 'private,max-age=5'],
    ['private', 'private,max-age=5'],
    ['no-store', 'no-store,max-age=5'],
    ['public', 'private,max-age=5'],
    ['PUBLIC, s-maxage=60,must-revalidate, proxy-revalidate', 'private,max-age=5'],
    ['no-cache, public, no-transform', 'private,no-cache,no-transform,max-age=5']
  ] as const) {
    t.equal(createCacheControlHeader(forUsers(directives))('given', true, false), expected, directives)
  }
  t.equal(createCacheControlHeader(policy)('synthetic', true, false), 'public,max-age=300', 'who stands for a group is no secret')
  t.equal(createCacheControlHeader(undefined)('given', true, false), 'private', 'a document that says nothing lets nobody share it either')
})

t.test('a max-age that the directives hold is not doubled', async t => {
  for (const [directives, header, brief, age] of [
    ['public,max-age=60', 'public,max-age=60', 'public,max-age=2', 60],
    ['public, Max-Age="60"', 'public, Max-Age="60"', 'public,Max-Age=2', 60],
    ['max-age=1', 'max-age=1', 'max-age=1', 1],
    ['max-age=0, must-revalidate', 'max-age=0, must-revalidate', 'max-age=0,must-revalidate', 0],
    ['max-age=7, max-age=60', 'max-age=7, max-age=60', 'max-age=2,max-age=2', 7],
    ['max-age', 'max-age', 'max-age=0', 0],
    ['public,s-maxage=60', 'public,s-maxage=60,max-age=10', 'public,s-maxage=2,max-age=2', 10],
    ['private,x-max-age=60', 'private,x-max-age=60,max-age=10', 'private,x-max-age=60,max-age=2', 10],
    ['private,ext="a, max-age=60"', 'private,ext="a, max-age=60",max-age=10', 'private,ext="a, max-age=60",max-age=2', 10]
  ] as const) {
    const policy = forUsers(directives, 10)
    t.equal(createCacheControlHeader(policy)('given', false, false), header)
    t.equal(createCacheControlHeader(policy)('given', false, true), brief)
    t.match(cachePolicies(policy).given, { ttl: age * 1000, downstreamAge: age * 1000 }, directives)
  }
  t.equal(createCacheControlHeader(forUsers('public,max-age=60', 0))('given', true, false), 'private,max-age=60')
})

t.test('without a ttl the gateway keeps answers as long as downstream may, and none of them stale', async t => {
  const kept = (seconds: number) => ({ ttl: seconds * 1000, staleWhileRevalidate: 0, staleIfError: 0, refreshOnEvents: true, whenUnverified: 'origin', downstreamAge: seconds * 1000 })
  t.strictSame(cachePolicies(policy), { given: kept(10), synthetic: kept(300), none: kept(0) })
  t.strictSame(cachePolicies({ userSpecified: { maxAge: 10, directives: 'private' } }), { given: kept(10), synthetic: kept(0), none: kept(0) }, 'a kind that is missing has nothing kept')
  t.strictSame(cachePolicies({ ...policy, server: { refreshOnEvents: false, whenUnverified: 'serve', staleIfError: 60 } }).given, { ...kept(10), refreshOnEvents: false, whenUnverified: 'serve', staleIfError: 60_000 })
})

t.test('a ttl holds for all, with the usual times beyond it', async t => {
  const usual = { ttl: 300_000, staleWhileRevalidate: 60_000, staleIfError: 86_400_000, refreshOnEvents: true, whenUnverified: 'origin' }
  t.strictSame(cachePolicies({ ...policy, server: { ttl: 300 } }), { given: { ...usual, downstreamAge: 10_000 }, synthetic: { ...usual, downstreamAge: 300_000 }, none: { ...usual, downstreamAge: 0 } })
  t.strictSame(cachePolicies({ server: { ttl: 0 } }).given, { ...usual, ttl: 0, downstreamAge: 0 })
  t.match(cachePolicies({ server: { ttl: 1, staleWhileRevalidate: 2, staleIfError: 3, refreshOnEvents: false } }).none, { ttl: 1000, staleWhileRevalidate: 2000, staleIfError: 3000, refreshOnEvents: false })
})

t.test('a document that says nothing of caching has nothing kept', async t => {
  t.strictSame(cachePolicies(undefined), { none: noCache, synthetic: noCache, given: noCache })
  t.equal(noCache.ttl, 0)
})

t.test('a policy is described in a line', async t => {
  t.match(describePolicy(noCache), /^not cached: .*cacheControl/)
  t.equal(describePolicy(cachePolicies(policy).none), 'not cached: the ttl is 0')
  t.equal(describePolicy(cachePolicies(policy).given), 'fresh for 10 s')
  t.equal(describePolicy(cachePolicies({ server: { ttl: 300 } }).given), 'fresh for 300 s, 60 s longer while a new answer is made, 86400 s longer if the provider fails')
})
