/** One piece of work in flight. */
export interface Work {
  readonly kind: string
  readonly startedAt: number
}

/** The load of the event loop since the last call of `adapt`. */
export interface Load {
  /** The share of time in which it was active, from 0 to 1. */
  utilisation: number
  /** Its mean delay, in ms: requests wait for so long before they are read. */
  delay: number
}

/**
 * A limit of the work in flight, which follows from how much slower the work becomes (the gradient algorithm of Netflix's
 * concurrency-limits: limit × no-load latency ÷ latency + √limit).
 */
export interface AdaptiveLimit {
  readonly inFlight: number
  /** The work that may be in flight while the process is busy. */
  readonly limit: number
  readonly isBusy: boolean
  /** Returns whether more work may begin. @param share the part of the limit that work of this priority may fill, from 0 to 1 */
  hasRoom: (share: number) => boolean
  begin: (kind: string) => Work
  /** Ends a piece of work. @param counts whether its duration says how long such work takes; false for work that failed early */
  end: (work: Work, counts: boolean) => void
  /** Adapts the limit to the work that ended since the last call. For a timer. */
  adapt: (load: Load) => void
}

export interface AdaptiveLimitOptions {
  /** Milliseconds on a clock that nobody sets. */
  now: () => number
  /** The most work in flight at any time, which bounds memory. */
  most: number
  /** The least limit. */
  least?: number
}

/** Below this utilisation, slow work waits for somebody else, such as a provider: to refuse work would not make it faster. */
const busyFrom = 0.8

/** How much longer than without load work may take before the limit shrinks. */
const tolerance = 2

/** The no-load latency, in ms, of work that takes less: with `tolerance`, work of 100 ms is not slow, whatever it takes without load. */
const shortest = 50

/** Where the limit begins when the process becomes busy, and the calls of `adapt` without load after which it begins there again. */
const initial = 1_000
const forgetAfter = 20

/** The weight of a new average in the no-load latency: while the process is not busy, and while it is and the average is longer. */
const learning = 0.1
const drift = 0.0005

interface Kind {
  noLoad: number | undefined
  sum: number
  count: number
}

/**
 * Creates a limit. Each kind of work has its own no-load latency: an average that is learnt while the process is not busy. While it is
 * not busy only `most` bounds the work.
 */
export function createAdaptiveLimit ({ now, most, least = 16 }: AdaptiveLimitOptions): AdaptiveLimit {
  const kinds = new Map<string, Kind>()
  const first = Math.min(initial, most)
  let limit = first
  let idle = 0
  let inFlight = 0
  let peak = 0
  let isBusy = false

  /**
   * Returns how fast the work was, compared with what it may take: 1 for fast enough. Undefined if no work ended.
   * @param waited the time before the work began, in ms
   */
  function gradient (waited: number): number | undefined {
    let total = 0
    let weighted = 0
    for (const kind of kinds.values()) {
      if (kind.count === 0) continue
      const average = kind.sum / kind.count + waited
      kind.noLoad = learnt(kind.noLoad, average, isBusy)
      weighted += kind.count * Math.min(1, tolerance * Math.max(shortest, kind.noLoad) / average)
      total += kind.count
      kind.sum = kind.count = 0
    }
    return total === 0 ? undefined : weighted / total
  }

  return {
    get inFlight () { return inFlight },
    get limit () { return isBusy ? limit : most },
    get isBusy () { return isBusy },
    hasRoom: share => inFlight < Math.max(1, Math.min(most, isBusy ? limit : most) * share),
    begin (kind) {
      inFlight++
      if (inFlight > peak) peak = inFlight
      return { kind, startedAt: now() }
    },
    end ({ kind: name, startedAt }, counts) {
      inFlight--
      if (!counts) return
      let kind = kinds.get(name)
      if (kind === undefined) kinds.set(name, kind = { noLoad: undefined, sum: 0, count: 0 })
      kind.sum += now() - startedAt
      kind.count++
    },
    adapt ({ utilisation, delay }) {
      isBusy = utilisation >= busyFrom
      const slope = gradient(delay)
      idle = isBusy ? 0 : idle + 1
      if (idle >= forgetAfter) limit = first
      if (isBusy && slope !== undefined) {
        // Work that does not fill half of the limit does not show that more of it would be fast enough.
        const more = peak >= limit / 2 ? Math.sqrt(limit) : 0
        limit = Math.min(most, Math.max(least, limit * Math.max(0.5, slope) + more))
      }
      peak = inFlight
    }
  }
}

function learnt (noLoad: number | undefined, average: number, busy: boolean): number {
  if (noLoad === undefined) return average
  return noLoad + (average - noLoad) * (busy && average > noLoad ? drift : learning)
}
