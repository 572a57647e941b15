import type { Found } from './cache.ts'

/**
 * Returns the value of the `Cache-Status` header (RFC 9211), which says where an answer came from.
 * @param now ms on the steady clock
 */
export function cacheStatus ({ entry, from, stale, unverified, forwarded, stored, collapsed }: Found, now: number): string {
  if (from !== 'origin') {
    const ttl = Math.floor((entry.freshUntil - now) / 1000)
    const detail = unverified === true ? ' detail=unverified;' : stale === undefined ? '' : ` detail=stale-${stale};`
    return `gateway-${from}; hit;${detail} ttl=${ttl}`
  }
  return `gateway; fwd=${forwarded!}${stored === true ? '; stored' : ''}${collapsed === true ? '; collapsed' : ''}`
}
