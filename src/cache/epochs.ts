import { randomUUID } from 'node:crypto'
import type { Cluster, Redis } from 'ioredis'

/** The hash tag of all keys of the link to Redis. It puts them in one slot of a cluster, so that commands on them keep their order. */
export const linkTag = 'personalization:{link}'

const keys = {
  epoch: `${linkTag}:epoch`,
  /** The count of writes of users' versions. */
  writes: `${linkTag}:writes`,
  /** The run of the server that was found to have all data, and the count of writes at that time. */
  server: `${linkTag}:server`,
  beacon: `${linkTag}:beacon`
}

/** The lifetime of the beacon, in ms. The beacon goes out when Redis has answered no instance for this long. */
export const beaconLife = 1_000

/** The lifetime of the beacon, in ms, after the last instance leaves, if every event that it accepted is in Redis. */
const beaconLegacy = 30_000

export type Commands = Redis | Cluster

/**
 * Epochs of the shared tier. An answer that was made for a user is valid only within the epoch in which it was made. An instance begins a
 * new epoch, which outdates all such answers, when Redis may lack an event:
 * - The beacon is out. Every instance that reaches Redis extends the beacon, and only a new epoch sets it again. An instance accepts an
 *   event without Redis only when the beacon must be out.
 * - Redis holds fewer writes than it has confirmed: it has lost data.
 * - The server was restarted, and no instance that was connected before confirms that it has all data.
 */
export interface Epochs {
  /** The epoch in force, as far as this instance knows. */
  readonly current: string
  /** Whether this instance has accepted an event that Redis lacks. Until a new epoch has begun, no answer in Redis is valid. */
  readonly doubtful: boolean
  /**
   * Checks that Redis lacks no event, and begins a new epoch if it may lack one.
   * @param run identifies a run of the server; empty if Redis does not report it
   * @throws the error of Redis; then the check has no result
   */
  vet: (redis: Commands, run: string) => Promise<void>
  /** Reads the epoch in force, for an instance that may have missed its beginning. @throws the error of Redis */
  read: (redis: Commands) => Promise<string>
  /** Adopts the epoch that another instance has begun. */
  adopt: (epoch: string) => void
  /** Counts a write of a user's version. @returns the count */
  write: (redis: Commands) => Promise<number>
  /** Records how many writes another instance has seen. */
  saw: (writes: number) => void
  /** Records that this instance accepted an event that Redis lacks, so that a new epoch has to begin. */
  doubt: () => void
  /** Extends the beacon for instances that start later. For the last instance to call. Does nothing while `doubtful`. */
  leave: (redis: Commands) => Promise<void>
}

export interface EpochsOptions {
  /** Announces a new epoch to all instances. */
  publish: (epoch: string) => Promise<unknown>
  /** Called with each change of the epoch. */
  onChange: () => void
}

export function createEpochs ({ publish, onChange }: EpochsOptions): Epochs {
  let current = ''
  // The number of epochs that this instance has seen begin.
  let changes = 0
  /** `doubts` counts the events that Redis lacks. A new epoch has covered the first `told` of them. */
  let [doubts, told] = [0, 0]
  let seen: number | undefined
  let vettedRun: string | undefined

  const isDoubtful = (): boolean => told < doubts

  function adopt (epoch: string): void {
    if (epoch === current) return
    current = epoch
    changes++
    // Data that was lost before the new epoch no longer matters.
    seen = undefined
    onChange()
  }

  /**
   * Returns whether Redis may lack writes that it has confirmed.
   * @param seen the writes known when the question was sent, since Redis may answer the question before it confirms later writes
   * @param vouched the run that an instance vouched for, and the writes that it had then
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
    // All instances, this one included, receive epochs in one order, so that the last epoch is the same for all.
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
      // An epoch that another instance began covers all earlier losses.
      if (inForce !== null && inForce !== current && changes === before && vouchedRun === run && burning !== null && !isDoubtful()) adopt(inForce)
      const isNew = burning === null || inForce === null || isDoubtful() || lacks(run, count, changes === before ? known : undefined, { run: vouchedRun, count: Number(vouchedCount) })
      if (isNew) await begin(redis, run, count)
      else if (vouchedRun !== run) await redis.set(keys.server, `${run} ${count}`)
      // An epoch that was announced since the question was sent is newer than the answer.
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
