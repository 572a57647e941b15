import { randomUUID } from 'node:crypto'
import type { Cluster, Redis } from 'ioredis'

/** All keys of an instance's link to Redis are in one slot of a cluster, so that their order holds. */
export const linkTag = 'personalization:{link}'

const keys = {
  epoch: `${linkTag}:epoch`,
  /** Counts the versions of users that were written. */
  writes: `${linkTag}:writes`,
  /** The run of the server that is known to hold everything, and the count of writes at which that was found. */
  server: `${linkTag}:server`,
  beacon: `${linkTag}:beacon`
}

/** The beacon is out when Redis has answered nobody for so long, in ms. */
export const beaconLife = 1_000

/** So long, in ms, the beacon burns on when the last instance leaves with nothing left to tell. */
const beaconLegacy = 30_000

export type Commands = Redis | Cluster

/**
 * Epochs: everything that was made for a user counts only within the epoch in which it was made. A new epoch begins, and outdates
 * everything, when Redis may lack an event:
 * - the beacon is out. Every instance that reaches Redis keeps it burning, and none can light it again but by a new epoch. An instance that
 *   accepts an event without Redis does so only when the beacon must be out;
 * - Redis holds fewer writes than it has confirmed: it lost data;
 * - nobody who was here before vouches for a server that was started again.
 */
export interface Epochs {
  /** The epoch in force, as far as this instance knows. */
  readonly current: string
  /** Whether an event was accepted here that Redis does not know of. Until a new epoch tells of it, nothing in Redis counts. */
  readonly doubtful: boolean
  /**
   * Checks that Redis lacks nothing, and begins a new epoch if it may.
   * @param run tells one run of the server from another; empty where Redis does not say
   * @throws what Redis says; then nothing is known
   */
  vet: (redis: Commands, run: string) => Promise<void>
  /** Reads the epoch in force, for an instance that may have missed its beginning. @throws what Redis says */
  read: (redis: Commands) => Promise<string>
  /** Takes over the epoch that another instance has begun. */
  adopt: (epoch: string) => void
  /** Counts a write of a user's version. @returns the count */
  write: (redis: Commands) => Promise<number>
  /** Notes how many writes another instance has seen. */
  saw: (writes: number) => void
  /** Notes that an event was accepted that Redis does not know of: a new epoch has to tell of it. */
  doubt: () => void
  /** Leaves the beacon burning for those who come later, if this instance was the last. */
  leave: (redis: Commands) => Promise<void>
}

export interface EpochsOptions {
  /** Tells all instances of a new epoch. */
  publish: (epoch: string) => Promise<unknown>
  /** Called with each change of the epoch. */
  onChange: () => void
}

export function createEpochs ({ publish, onChange }: EpochsOptions): Epochs {
  let current = ''
  // How many epochs this instance has seen begin.
  let changes = 0
  /** Counts the events that Redis does not know of; `told` of them a new epoch has dealt with. */
  let [doubts, told] = [0, 0]
  let seen: number | undefined
  let vettedRun: string | undefined

  const isDoubtful = (): boolean => told < doubts

  function adopt (epoch: string): void {
    if (epoch === current) return
    current = epoch
    changes++
    // Whatever was lost before the new epoch matters no more.
    seen = undefined
    onChange()
  }

  /**
   * Whether Redis lacks writes that it has confirmed.
   * @param seen the writes that were known when it was asked: it may answer a question before it confirms later ones
   * @param vouched the run that somebody vouched for, and the writes that it had then
   */
  function lacks (run: string, count: number, seen: number | undefined, vouched: { run: string, count: number }): boolean {
    if (seen !== undefined && seen > count) return true
    if (vettedRun === run) return false
    if (vouched.run === run) return seen !== undefined && seen > vouched.count
    return seen === undefined
  }

  async function begin (redis: Commands, run: string, count: number): Promise<void> {
    const fresh = randomUUID()
    const before = { changes, doubts }
    // In this order: the beacon must not burn before the epoch is in force.
    await Promise.all([redis.set(keys.epoch, fresh), redis.set(keys.server, `${run} ${count}`), redis.set(keys.beacon, '', 'PX', beaconLife)])
    await publish(fresh)
    told = before.doubts
    // All hear of epochs in one order, the beginner included, so that the last is the same for all.
    if (changes === before.changes) adopt(fresh)
  }

  return {
    get current () { return current },
    get doubtful () { return isDoubtful() },
    async vet (redis, run) {
      const before = changes
      const known = seen
      const [burning, inForce, writes, server] = await Promise.all([
        redis.set(keys.beacon, '', 'PX', beaconLife, 'XX'), redis.get(keys.epoch), redis.get(keys.writes), redis.get(keys.server)
      ])
      const count = Number(writes)
      const [vouchedRun = '', vouchedCount] = server?.split(' ') ?? []
      // An epoch that others began has dealt with whatever was lost.
      if (inForce !== null && inForce !== current && changes === before && vouchedRun === run && burning !== null && !isDoubtful()) adopt(inForce)
      const isNew = burning === null || inForce === null || isDoubtful() || lacks(run, count, changes === before ? known : undefined, { run: vouchedRun, count: Number(vouchedCount) })
      if (isNew) await begin(redis, run, count)
      else if (vouchedRun !== run) await redis.set(keys.server, `${run} ${count}`)
      // A message about an epoch that has come since the question is newer than the answer.
      if (!isNew && changes === before) adopt(inForce)
      seen = Math.max(seen ?? 0, count)
      vettedRun = run
    },
    async read (redis) {
      const before = changes
      const inForce = await redis.get(keys.epoch)
      if (inForce !== null && changes === before) adopt(inForce)
      return current
    },
    adopt,
    async write (redis) {
      const known = seen
      const writes = await redis.incr(keys.writes)
      if (known !== undefined && writes <= known) doubts++
      seen = Math.max(seen ?? 0, writes)
      return writes
    },
    saw (writes) { seen = Math.max(seen ?? 0, writes) },
    doubt () { doubts++ },
    async leave (redis) {
      if (!isDoubtful()) await redis.set(keys.beacon, '', 'PX', beaconLegacy, 'XX')
    }
  }
}
