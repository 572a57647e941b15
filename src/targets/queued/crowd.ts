import { hash } from 'node:crypto'
import type { RedisCommands } from '../../connections/redis-client.ts'
import { ownerOf, type EventBody } from '../body.ts'

/**
 * The owners of whom many bodies wait in Redis. Redis counts the bodies of each owner, for all instances. The counts are approximate: a
 * process that dies may leave one too high. They expire, so that no owner is turned away for long.
 */
export interface Crowd {
  /** Returns whether an owner's bodies use the share of one owner, as last read. */
  has: (owner: string) => boolean
  /** Counts a body that was added. Never rejects. */
  count: (redis: RedisCommands, body: EventBody) => Promise<void>
  /** Takes bodies that wait no longer out of the counts. Never rejects. @param owners the owner of each body */
  discount: (redis: RedisCommands, owners: readonly string[]) => Promise<void>
  /** Reads the counts of the owners who used their share, as other instances deliver their bodies, too. */
  refresh: (redis: RedisCommands) => Promise<void>
}

/** The life of a count since the last body of its owner, in ms. */
const countLife = 3_600_000

/** The most owners that a process remembers to use their share. */
const mostOwners = 1_000

/** Lowers counts, but not below zero: bodies that were queued before there were counts, or by a retry of dead letters, are not counted. */
const lower = `
  for i, key in ipairs(KEYS) do
    local left = tonumber(redis.call('GET', key) or 0) - tonumber(ARGV[i])
    redis.call('SET', key, math.max(left, 0), 'PX', left > 0 and ARGV[#KEYS + 1] or 1)
  end`

/** Opens the counts of a target. @param waiting the key of its waiting bodies @param share the most bodies of one owner */
export function createCrowd (waiting: string, share: number): Crowd {
  const crowded = new Set<string>()
  const keyOf = (owner: string): string => `${waiting}:of:${hash('sha1', owner, 'base64url')}`

  return {
    has: owner => crowded.has(owner),
    async count (redis, body) {
      const owner = ownerOf(body)
      try {
        const [waits] = await Promise.all([redis.incr(keyOf(owner)), redis.pexpire(keyOf(owner), countLife)])
        if (waits >= share && crowded.size < mostOwners) crowded.add(owner)
      } catch {
        // Redis has the body all the same.
      }
    },
    async discount (redis, owners) {
      const counts = new Map<string, number>()
      for (const owner of owners) counts.set(keyOf(owner), (counts.get(keyOf(owner)) ?? 0) + 1)
      if (counts.size > 0) await redis.eval(lower, counts.size, ...counts.keys(), ...counts.values(), countLife).catch(() => {})
    },
    async refresh (redis) {
      const owners = [...crowded]
      if (owners.length === 0) return
      const counts = await redis.mget(owners.map(keyOf))
      for (const [i, owner] of owners.entries()) if (Number(counts[i] ?? 0) < share) crowded.delete(owner)
    }
  }
}
