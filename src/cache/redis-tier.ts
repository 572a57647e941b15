import { hash, randomUUID } from 'node:crypto'
import type { RedisLink } from './redis-link.ts'
import { decodeShared, encodeShared, type Shared } from './redis-codec.ts'
import { fromShared, toShared, type Clocks } from './shared-times.ts'
import type { RemoteTier } from './remote-tier.ts'
import type { Announcer, User } from './user-versions.ts'

/** The longest lifetime of an entry in Redis, in ms. */
const longestLife = 86_400_000

/**
 * The lifetime of a user's version, in ms. It is longer than that of any answer. Losing a version is safe all the same, because that
 * outdates every answer made under it.
 */
const versionLife = longestLife + 3_600_000

/**
 * Returns a tier that stores entries in Redis, each with the version of its user's events under which it was made. The keys of both are in
 * one slot of a cluster, and the tier reads them together. A version is a new random id, not a rising number: if Redis loses a version, by
 * eviction or by a restart, the version that replaces it must not make old answers valid again.
 */
export function createRedisTier (link: RedisLink, clocks: Clocks): RemoteTier & Announcer {
  const asked = new Map<string, Promise<string | undefined>>()

  /** Creates the version of a user who has none, before the first answers are made, so that all of these concurrent answers are valid. */
  async function beginVersion (versionKey: string): Promise<string | null> {
    const [, version] = await link.run(async redis => Promise.all([
      redis.set(versionKey, randomUUID(), 'PX', versionLife, 'NX'),
      redis.get(versionKey)
    ]))
    return version
  }

  async function readVersion (versionKey: string): Promise<string | undefined> {
    const [version, epoch] = await Promise.all([link.run(async redis => redis.get(versionKey)), link.readEpoch()])
    return versionIn(epoch, version)
  }

  function decode (bytes: Buffer | null | undefined): Shared | undefined {
    const shared = bytes == null ? undefined : decodeShared(bytes)
    return shared && { ...shared, entry: fromShared(shared.entry, clocks) }
  }

  return {
    async get (key, user) {
      try {
        const [entryKey, versionKey] = keysOf(key, user)
        if (versionKey === undefined) {
          if (!link.up) return undefined
          const [entry] = await link.run(async redis => redis.mgetBuffer(entryKey))
          return { entry: decode(entry)?.entry }
        }
        if (!await link.ensure()) return undefined
        const [[entry, found], epoch] = await Promise.all([link.run(async redis => redis.mgetBuffer(entryKey, versionKey)), link.readEpoch()])
        const shared = decode(entry)
        if (found == null) return { version: versionIn(epoch, await beginVersion(versionKey)) }
        const version = versionIn(epoch, found.toString())
        const counts = shared !== undefined && versionIn(shared.epoch, shared.version) === version
        return { entry: counts ? shared.entry : undefined, version }
      } catch {
        return undefined
      }
    },
    async versionOf (user) {
      if (!await link.ensure()) return undefined
      const versionKey = versionKeyOf(user)
      let version = asked.get(versionKey)
      if (version === undefined) {
        version = readVersion(versionKey).catch(() => undefined)
        asked.set(versionKey, version)
        // The command is sent in this turn of the event loop. A later caller must send its own, since the answer may miss an event.
        setImmediate(() => { asked.delete(versionKey) })
      }
      return version
    },
    set (key, user, entry, read) {
      const life = Math.min(entry.errorUntil - entry.madeAt, longestLife)
      if (!link.up || life <= 0 || (user !== undefined && read === undefined)) return
      const [entryKey, versionKey] = keysOf(key, user)
      const [epoch = '', version = ''] = read?.split(' ') ?? []
      link.run(async redis => Promise.all([
        versionKey !== undefined && redis.pexpire(versionKey, versionLife),
        redis.set(entryKey, encodeShared({ entry: toShared(entry, clocks), version, epoch }), 'PX', life)
      ])).catch(() => {})
    },
    get state () { return link.state },
    announce: async (user, slot) => link.announce(slot, async redis => redis.set(versionKeyOf(user), randomUUID(), 'PX', versionLife))
  }
}

/** Returns a version with its epoch; undefined if Redis lost the version as soon as it began, so that nothing can be stored. */
function versionIn (epoch: string, version: string | null): string | undefined {
  return version === null ? undefined : `${epoch} ${version}`
}

/** Returns the keys of an entry and of its user's version. They are hashes, so that no key reveals who the user is. */
function keysOf (key: string, user: User | undefined): [entry: string, version?: string] {
  const digest = hash('sha1', key, 'base64url')
  if (user === undefined) return [`personalization:{${digest}}`]
  return [`personalization:{${tagOf(user)}}:${digest}`, versionKeyOf(user)]
}

function versionKeyOf (user: User): string {
  return `personalization:{${tagOf(user)}}`
}

function tagOf ({ namespace, userId }: User): string {
  return hash('sha1', `${namespace}/${userId}`, 'base64url')
}
