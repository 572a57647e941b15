import t from 'tap'
import { createEntry } from '../../src/cache/entry.ts'
import { noCache, type CachePolicy } from '../../src/cache/policy.ts'
import { evaluate } from '../../src/cache/conditional.ts'

const policy: CachePolicy = { ttl: 10_000, staleWhileRevalidate: 5_000, staleIfError: 60_000, refreshOnEvents: true, whenUnverified: 'origin', downstreamAge: 10_000 }
const made = { body: '{"itemList":[{"itemId":"Tee – grün"}]}', variation: 'main' }

t.test('an entry is finished: its body in UTF-8, its validator, its times', async t => {
  const entry = createEntry({ ...made, timing: 'origin;dur=1.000' }, policy, 1_000)
  t.equal(entry.body.toString(), made.body)
  t.equal(entry.body.length, Buffer.byteLength(made.body))
  t.match(entry, { variation: 'main', degraded: undefined, madeAt: 1_000, freshUntil: 11_000, staleUntil: 16_000, errorUntil: 71_000 })
  t.notOk('timing' in entry, 'how long it took is of the request that waited for it')
})

t.test('the validator is strong, and that of the body alone', async t => {
  const { etag } = createEntry(made, policy, 1_000)
  t.match(etag, /^"[\x21\x23-\x7e]+"$/)
  t.equal(createEntry({ ...made, variation: 'other', degraded: 'timeout' }, noCache, 2_000).etag, etag)
  t.not(createEntry({ ...made, body: `${made.body} ` }, policy, 1_000).etag, etag)
  t.equal(evaluate(etag, { 'if-none-match': etag }), 'not-modified')
})

t.test('what may be served while it is made anew may be served where that fails, too', async t => {
  t.match(createEntry(made, { ...policy, staleIfError: 0 }, 0), { staleUntil: 15_000, errorUntil: 15_000 })
  t.match(createEntry(made, { ...policy, staleWhileRevalidate: 0 }, 0), { staleUntil: 10_000, errorUntil: 70_000 })
})

t.test('a degraded answer lives two seconds at most and no time beyond', async t => {
  t.match(createEntry({ ...made, degraded: 'timeout' }, policy, 1_000), { degraded: 'timeout', freshUntil: 3_000, staleUntil: 3_000, errorUntil: 3_000 })
  t.match(createEntry({ ...made, degraded: 'timeout' }, { ...policy, ttl: 500 }, 1_000), { freshUntil: 1_500, staleUntil: 1_500, errorUntil: 1_500 })
})
