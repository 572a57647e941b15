/** What a target's queue says of itself. */
export interface QueueGauge {
  /** What waits or is under way. */
  readonly depth: number
  /** How long that has waited which waits longest, in ms. */
  readonly oldest: number
}

/** What waits in Redis for a target, as far as this process knows. All processes that share it tell the same. */
export interface StreamGauge {
  /** Bodies that the target does not have yet. */
  readonly waiting: number
  /** Bodies that were given up. */
  readonly deadLetters: number
}

/** What became of events at one target, since the process began. */
export interface TargetStats {
  /** What the target was to get. */
  accepted: number
  delivered: number
  /** What was tried again, in calls' parts: events, or records of several. */
  retried: number
  failed: number
  /** Not taken, since its queue was full. */
  turnedAway: number
  /** Those of the configurations that are open. */
  readonly queues: Set<QueueGauge>
  /** Events of a queued target that were delivered again, since whoever had them before did not say what became of them. */
  redelivered: number
  /** Events of a queued target that were given up. */
  deadLettered: number
  /** Those of queued targets that are open. */
  readonly streams: Set<StreamGauge>
}

export interface EventStats {
  of: (namespace: string, target: string) => TargetStats
  all: () => Iterable<{ namespace: string, target: string, stats: TargetStats }>
}

/** Bounded by what configurations have named. */
export function createEventStats (): EventStats {
  const known = new Map<string, { namespace: string, target: string, stats: TargetStats }>()
  return {
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
