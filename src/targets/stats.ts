/** The state of a target's queue. */
export interface QueueGauge {
  /** Events, or records of several, that wait or are being sent. */
  readonly depth: number
  /** How long the oldest of them has waited, in ms. */
  readonly oldest: number
}

/** The bodies in Redis for a target, as this process has read them last. All processes that share the Redis report the same. */
export interface StreamGauge {
  /** Bodies that the target does not have yet. */
  readonly waiting: number
  /** Bodies that were given up. */
  readonly deadLetters: number
}

/** The counts of events at one target, since the process began. */
export interface TargetStats {
  /** Events that were to be delivered to the target. */
  accepted: number
  delivered: number
  /** Events, or records of several, that were retried. */
  retried: number
  failed: number
  /** Events that were refused, since the queue was full. */
  turnedAway: number
  /** The queues of the configurations that are open. */
  readonly queues: Set<QueueGauge>
  /** Events of a queued target that were delivered again, since the consumer that had them before did not acknowledge them. */
  redelivered: number
  /** Events of a queued target that were given up. */
  deadLettered: number
  /** The streams of the queued targets that are open. */
  readonly streams: Set<StreamGauge>
}

export interface EventStats {
  /** Events that name no item, by namespace. */
  readonly withoutItem: Map<string, number>
  of: (namespace: string, target: string) => TargetStats
  all: () => Iterable<{ namespace: string, target: string, stats: TargetStats }>
}

/** Creates the counts. They are bounded by the number of targets that configurations have named. */
export function createEventStats (): EventStats {
  const known = new Map<string, { namespace: string, target: string, stats: TargetStats }>()
  return {
    withoutItem: new Map(),
    of (namespace, target) {
      const key = `${namespace}/${target}`
      let entry = known.get(key)
      if (entry === undefined) {
        entry = { namespace, target, stats: { accepted: 0, delivered: 0, retried: 0, failed: 0, turnedAway: 0, queues: new Set(), redelivered: 0, deadLettered: 0, streams: new Set() } }
        known.set(key, entry)
      }
      return entry.stats
    },
    all: () => known.values()
  }
}
