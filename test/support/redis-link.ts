import type { Test } from 'tap'
import { entityTag, type Entry } from '../../src/cache/entry.ts'
import type { RedisLink } from '../../src/cache/redis-link.ts'
import { createRedisTier } from '../../src/cache/redis-tier.ts'
import type { RemoteTier } from '../../src/cache/remote-tier.ts'
import { createCacheStats, type CacheStats } from '../../src/cache/stats.ts'
import { createUserVersions, type Announcer, type UserVersions } from '../../src/cache/user-versions.ts'
import { openCacheLink, type CacheLinkOptions } from '../../src/connections/cache-link.ts'
import { eventually } from './eventually.ts'

/** The parts of an instance that use Redis, without the rest of the instance. */
export interface TestLink {
  link: RedisLink
  tier: RemoteTier & Announcer
  versions: UserVersions
  stats: CacheStats
  changes: string[]
}

/** The time at which test entries are made, stored and read. */
const time = Date.now()

/** Opens a link to Redis. It ends with the test. */
export function openTestLink (t: Test, url: string, more: Partial<CacheLinkOptions> = {}): TestLink {
  const versions = createUserVersions()
  const stats = createCacheStats()
  const changes: string[] = []
  const link = openCacheLink(url, { versions, stats, onChange: state => { changes.push(state) }, onProblem: error => { throw error }, ...more })
  const tier = createRedisTier(link, { now: () => time, steady: () => time })
  versions.tell(tier)
  t.teardown(async () => link.close())
  return { link, tier, versions, stats, changes }
}

/** Opens links to Redis. Resolves when they are up and agree on the epoch. */
export async function openTestLinks (t: Test, url: string, count: number): Promise<TestLink[]> {
  // One after the other: several that find no epoch would each begin one.
  const links: TestLink[] = []
  for (let i = 0; i < count; i++) {
    links.push(openTestLink(t, url))
    await agreed(links)
  }
  return links
}

/** Resolves when links are up and agree on the epoch. */
export async function agreed (links: TestLink[]): Promise<void> {
  await eventually('all are up and agree', () => links.every(({ link }) => link.up && link.epoch !== '' && link.epoch === links[0]!.link.epoch))
}

/** Resolves when links hold a lease: they hear all announcements. */
export async function leased (links: TestLink[]): Promise<void> {
  await eventually('all hold a lease', () => links.every(({ link }) => link.state === 'leased'))
}

export function testEntry (text: string, life = 60_000): Entry {
  return { body: Buffer.from(text), etag: entityTag(text), variation: 'v', degraded: undefined, undecorated: undefined, madeAt: time, freshUntil: time + life, staleUntil: time + life, errorUntil: time + life }
}
