import type { Counted, Credit, Entry, Exposure, ServedList, Totals, TallyStore } from './store.ts'

export interface Tally {
  /** Notes an exposure. It is counted within `flushEvery`, off the path of the request. */
  readonly expose: (experiment: Counted, exposure: Omit<Exposure, 'kind'>) => void
  /** Notes a credit. Resolves with whether it was counted, in bounded time. */
  readonly credit: (experiment: Counted, credit: Omit<Credit, 'kind'>) => Promise<boolean>
  readonly read: (id: string) => Promise<Totals>
  /**
   * Returns the lists that a user was served last, the newest first. While the store fails, the promise waits for it, so that no request
   * may; it resolves with none if too many wait, or the process ends.
   */
  readonly lists: (id: string, user: string) => Promise<ServedList[]>
  /** The entries that were dropped, since the store did not take them in time. */
  readonly dropped: number
  /** Counts what is noted, and ends. */
  readonly close: () => Promise<void>
}

export interface TallyOptions {
  readonly store: TallyStore
  /** Receives the errors of the store. */
  readonly onError: (error: unknown) => void
  /** Calls back after some ms; returns a function that cancels it. */
  readonly later?: (callback: () => void, ms: number) => () => void
}

/** The time that exposures are gathered for, in ms. It is what a process that is killed loses of them. */
export const flushEvery = 20

/** The time that credits are gathered for, in ms: the senders of events wait for them. */
const creditsWithin = 1

/** The pause after the store has failed, in ms. */
const retryAfter = 500

/** The most entries that wait while the store does not take them. Further ones are dropped, and counted as such. */
const mostWaiting = 50_000

interface Waiting {
  readonly entry: Entry
  readonly settle: ((counted: boolean) => void) | undefined
}

interface Seeking {
  readonly id: string
  readonly user: string
  readonly resolve: (lists: ServedList[]) => void
}

/** The look-ups that are made at the same time after an outage. */
const seekAtOnce = 100

/** The longest time that a credit waits to be counted, in ms. It goes on waiting without its caller. */
const creditPatience = 1_000

const laterByTimer: NonNullable<TallyOptions['later']> = (callback, ms) => {
  const timer = setTimeout(callback, ms)
  return () => { clearTimeout(timer) }
}

/** Gathers the entries of all experiments, and has them counted in batches, in the order in which they were noted. */
export function createTally ({ store, onError, later = laterByTimer }: TallyOptions): Tally {
  const waiting = new Map<string, { experiment: Counted, list: Waiting[] }>()
  /** The look-ups that the store could not answer. */
  let seeking: Seeking[] = []
  let count = 0
  let dropped = 0
  let scheduled: { ms: number, cancel: () => void } | undefined
  let flushing: Promise<boolean> | undefined
  let closed = false

  function note (experiment: Counted, entry: Entry, settle?: (counted: boolean) => void): void {
    if (count >= mostWaiting || closed) {
      dropped++
      settle?.(false)
      return
    }
    count++
    const known = waiting.get(experiment.id)
    if (known === undefined) waiting.set(experiment.id, { experiment, list: [{ entry, settle }] })
    else known.list.push({ entry, settle })
    schedule(entry.kind === 'credit' ? creditsWithin : flushEvery)
  }

  function schedule (ms: number): void {
    // While the store fails, or a batch is being counted, entries wait for the end of that.
    if (flushing !== undefined || (scheduled !== undefined && (scheduled.ms <= ms || scheduled.ms === retryAfter))) return
    scheduled?.cancel()
    const cancel = later(() => {
      scheduled = undefined
      void flush()
    }, ms)
    scheduled = { ms, cancel }
  }

  /** Counts what waits. One flush runs at a time, so that the entries of a user stay in order. */
  async function flush (): Promise<void> {
    flushing ??= drain().finally(() => { flushing = undefined })
    const failed = await flushing
    if (waiting.size + seeking.length > 0 && !closed) schedule(failed ? retryAfter : creditsWithin)
  }

  /** Has the store count all that an experiment noted before. A flush that is running may have begun earlier. */
  async function countNoted (id: string): Promise<void> {
    if (flushing !== undefined) await flush()
    if (waiting.has(id)) await flush()
  }

  /** @returns whether the store failed */
  async function drain (): Promise<boolean> {
    let failed = false
    for (const { experiment, list } of [...waiting.values()]) {
      waiting.delete(experiment.id)
      try {
        await store.count(experiment, list.map(({ entry }) => entry))
        count -= list.length
        for (const { settle } of list) settle?.(true)
      } catch (error) {
        failed = true
        onError(error)
        waiting.set(experiment.id, { experiment, list: [...list, ...waiting.get(experiment.id)?.list ?? []] })
      }
    }
    while (!failed && seeking.length > 0) {
      const some = seeking.splice(0, seekAtOnce)
      try {
        const found = await Promise.all(some.map(async ({ id, user }) => store.lists(id, user)))
        count -= some.length
        for (const [i, { resolve }] of some.entries()) resolve(found[i]!)
      } catch (error) {
        failed = true
        onError(error)
        seeking = [...some, ...seeking]
      }
    }
    return failed
  }

  async function seek (id: string, user: string): Promise<ServedList[]> {
    if (count >= mostWaiting || closed) {
      dropped++
      return []
    }
    count++
    return new Promise(resolve => {
      seeking.push({ id, user, resolve })
      schedule(retryAfter)
    })
  }

  return {
    expose (experiment, exposure) { note(experiment, { kind: 'exposure', ...exposure }) },
    credit: async (experiment, credit) => new Promise(resolve => {
      const stop = later(() => { resolve(false) }, creditPatience)
      note(experiment, { kind: 'credit', ...credit }, counted => { stop(); resolve(counted) })
    }),
    read: async id => {
      await countNoted(id)
      return store.read(id)
    },
    async lists (id, user) {
      await countNoted(id)
      return store.lists(id, user).catch(async (error: unknown) => {
        onError(error)
        return seek(id, user)
      })
    },
    get dropped () { return dropped },
    async close () {
      closed = true
      scheduled?.cancel()
      // A flush that was running leaves the entries that came during it to the next one.
      await flush()
      await flush()
      for (const { list } of waiting.values()) for (const { settle } of list) settle?.(false)
      dropped += seeking.length
      for (const { resolve } of seeking) resolve([])
      seeking = []
    }
  }
}
