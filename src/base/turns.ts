/** The turns of a long task on the event loop. Between two turns, the process handles requests, timers and the turns of other tasks. */
export interface Turn {
  /** Whether the current turn has lasted long enough. */
  readonly over: boolean
  /** Ends the current turn. Resolves when the next one begins. */
  next: () => Promise<void>
}

export interface TurnsOptions {
  /** Returns the time, in ms. */
  now?: () => number
  /** Calls a function in the next round of the event loop. */
  defer?: (run: () => void) => void
  /** The length of a turn, in ms. */
  length?: number
}

/** The part of a turn that a task gets in any case: small tasks end in it, and need not wait for the turns of long ones. */
const least = 1 / 4

/**
 * Creates a scheduler of long tasks. In each round of the event loop, one waiting task gets a turn, however many there are: the sum of
 * their turns does not delay a request that comes meanwhile. The tasks that begin in one round share one turn, so that a chain of tasks
 * does not take longer than one long task.
 * @returns a function that begins a task; its first turn begins at once, without waiting
 */
export function createTurns ({ now = () => performance.now(), defer = setImmediate, length = 4 }: TurnsOptions = {}): () => Turn {
  const waiting: Array<() => void> = []
  let scheduled = false
  /** When the first task of this round began. */
  let roundSince: number | undefined

  function schedule (): void {
    if (!scheduled) defer(grant)
    scheduled = true
  }

  function grant (): void {
    scheduled = false
    roundSince = undefined
    const begin = waiting.shift()
    if (begin === undefined) return
    begin()
    schedule()
  }

  return () => {
    let since = now()
    let sharedSince = roundSince ??= since
    schedule()
    return {
      get over () {
        const time = now()
        return time - sharedSince >= length && time - since >= length * least
      },
      next: async () => new Promise<void>(resolve => {
        waiting.push(() => {
          since = sharedSince = now()
          resolve()
        })
        schedule()
      })
    }
  }
}

/** Begins a long task of this process. */
export const beginTurns = createTurns()

/** Returns a function that runs tasks one after the other, in the order of the calls. Few tasks at once take little memory. */
export function createSequence (): <T>(task: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return async task => {
    const done = last.then(task)
    last = done.catch(() => {})
    return done
  }
}
