import t from 'tap'
import { noCache } from '../../src/cache/policy.ts'
import { cachePolicy, createCacheControlHeader, type CacheControl } from '../../src/cache/cache-control.ts'

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

t.test('a document that says nothing of caching has nothing kept; one that does is spared the numbers', async t => {
  t.strictSame(cachePolicy(undefined), noCache)
  t.equal(noCache.ttl, 0)
  const usual = { ttl: 300_000, staleWhileRevalidate: 60_000, staleIfError: 86_400_000, refreshOnEvents: true }
  t.strictSame(cachePolicy({}), usual)
  t.strictSame(cachePolicy({ server: { ttl: 0 } }), { ...usual, ttl: 0 })
  t.strictSame(cachePolicy({ server: { ttl: 1, staleWhileRevalidate: 2, staleIfError: 3, refreshOnEvents: false } }), { ttl: 1000, staleWhileRevalidate: 2000, staleIfError: 3000, refreshOnEvents: false })
})
