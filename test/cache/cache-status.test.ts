import t from 'tap'
import { cacheStatus } from '../../src/cache/cache-status.ts'
import type { Found } from '../../src/cache/cache.ts'
import { createEntry } from '../../src/cache/entry.ts'
import { testPolicy } from '../support/test-cache.ts'

const entry = createEntry({ body: '{}', variation: 'main' }, testPolicy, 0)

/** RFC 9211 §2 and RFC 9651: a token, then parameters of tokens and integers; what says nothing is true. */
const wellFormed = /^[a-z-]+(; (hit|stored|collapsed|(fwd|detail)=[a-z-]+|ttl=-?\d+))+$/

const said: Array<[found: Omit<Found, 'entry'>, now: number, expected: string]> = [
  [{ from: 'memory' }, 2_000, 'gateway-memory; hit; ttl=8'],
  [{ from: 'memory' }, 2_001, 'gateway-memory; hit; ttl=7'],
  [{ from: 'redis' }, 0, 'gateway-redis; hit; ttl=10'],
  [{ from: 'origin', forwarded: 'miss', stored: true }, 0, 'gateway; fwd=miss; stored'],
  [{ from: 'origin', forwarded: 'stale', stored: true }, 0, 'gateway; fwd=stale; stored'],
  [{ from: 'origin', forwarded: 'bypass', stored: false }, 0, 'gateway; fwd=bypass'],
  [{ from: 'origin', forwarded: 'miss', stored: true, collapsed: true }, 0, 'gateway; fwd=miss; stored; collapsed']
]

t.test('it says where an answer came from', async t => {
  for (const [found, now, expected] of said) {
    t.equal(cacheStatus({ entry, ...found }, now), expected)
    t.match(expected, wellFormed)
  }
})

t.test('an answer past its time is a hit with a time below zero, and says why it is served', async t => {
  for (const stale of ['while-revalidate', 'if-error'] as const) {
    const status = cacheStatus({ entry, from: 'memory', stale }, 12_500)
    t.match(status, wellFormed)
    t.match(status, /^gateway-memory; hit;/)
    t.match(status, `detail=stale-${stale}`)
    t.match(status, 'ttl=-3')
  }
})
