import t from 'tap'
import { cacheControlHeader, type CacheControl } from '../../src/config/cache-control.ts'

const policy: CacheControl = {
  userSpecified: { maxAge: 10, directives: 'private' },
  syntheticUserSpecified: { maxAge: 300, directives: 'public' },
  noUserSpecified: { maxAge: 0, directives: 'no-store' }
}

t.test('the header follows what is known of the user', async t => {
  t.equal(cacheControlHeader(policy, 'given'), 'private,max-age=10')
  t.equal(cacheControlHeader(policy, 'synthetic'), 'public,max-age=300')
  t.equal(cacheControlHeader(policy, 'none'), 'no-store', 'without an age, the directives alone')
})

t.test('where there is nothing to say there is no header', async t => {
  t.equal(cacheControlHeader(undefined, 'given'), undefined)
  t.equal(cacheControlHeader({ ...policy, userSpecified: { maxAge: 0, directives: '' } }, 'given'), undefined)
  t.equal(cacheControlHeader({ ...policy, userSpecified: { maxAge: 5, directives: '' } }, 'given'), 'max-age=5')
})
