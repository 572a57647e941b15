/** An answer in the making. */
export interface Flight<T> {
  readonly landed: Promise<T>
}

/** The result of a flight for one of its requests. */
export interface Shared<T> {
  readonly value: T
  /** Whether the flight was begun for another request. */
  readonly collapsed: boolean
}

/** The flights of all keys, with at most two under way for each key. */
export interface Flights<F extends Flight<T>, T> {
  /** The number of flights that have begun. It tells which flights began after a request came. */
  readonly begun: number
  /** Returns the flight of a key that began last, while it is under way. */
  latest: (key: string) => F | undefined
  /**
   * Returns the result of a flight of a key that began after the request came, or that begins now or next.
   * @param came the value of `begun` when the request came
   * @param begin begins a flight; of several callers that share a flight, the function of the first is called
   * @param gathers whether a new flight waits until the burst of requests is over, if another one is under way. For callers that cannot
   *   share a flight that has already begun.
   */
  next: (key: string, came: number, begin: () => F, gathers: boolean) => Promise<Shared<T>>
}

/** The flights of a key. */
interface Line<F, T> {
  /** The flights under way, the oldest first. */
  readonly under: Array<{ flight: F, number: number }>
  waiting?: Waiting<F, T> | undefined
}

/** A flight that has not begun. */
interface Waiting<F, T> {
  readonly begin: () => F
  readonly landed: Promise<T>
  readonly resolve: (landed: Promise<T>) => void
  /** Whether the burst is over, so that the flight waits only for one of the `mostUnderWay` places. */
  boarded: boolean
  joinedAt: number
}

/** The clock and the timer that tell when a burst is over. */
export interface BurstTimers {
  /** Milliseconds on a steady clock. */
  now: () => number
  after: (ms: number, then: () => void) => void
}

/** Handles requests that have already arrived first: while the process is busy they wait unread, which is not the end of the burst. */
const realTimers: BurstTimers = {
  now: () => performance.now(),
  after (ms, then) { setTimeout(() => { setImmediate(then) }, ms) }
}

const mostUnderWay = 2

/** A burst ends when no request has come for `quiet` ms, and after `longest` ms at the latest. */
const burst = { quiet: 20, longest: 250 }

export function createFlights<F extends Flight<T>, T> ({ now, after }: BurstTimers = realTimers): Flights<F, T> {
  const lines = new Map<string, Line<F, T>>()
  let begun = 0

  function takeOff (key: string, line: Line<F, T>, begin: () => F): F {
    const flight = begin()
    const entry = { flight, number: ++begun }
    line.under.push(entry)
    const land = (): void => {
      line.under.splice(line.under.indexOf(entry), 1)
      depart(key, line)
    }
    flight.landed.then(land, land)
    return flight
  }

  function depart (key: string, line: Line<F, T>): void {
    const { waiting } = line
    if (waiting === undefined) {
      if (line.under.length === 0) lines.delete(key)
    } else if (waiting.boarded && line.under.length < mostUnderWay) {
      line.waiting = undefined
      waiting.resolve(takeOff(key, line, waiting.begin).landed)
    }
  }

  function wait (key: string, line: Line<F, T>, begin: () => F, gathers: boolean): Waiting<F, T> {
    let resolve: Waiting<F, T>['resolve'] = () => {}
    const landed = new Promise<T>(_resolve => { resolve = _resolve })
    const began = now()
    const waiting: Waiting<F, T> = { begin, landed, resolve, boarded: !gathers, joinedAt: began }
    const board = (): void => {
      const left = Math.min(waiting.joinedAt + burst.quiet, began + burst.longest) - now()
      if (left > 0) {
        after(left, board)
        return
      }
      waiting.boarded = true
      depart(key, line)
    }
    if (gathers) after(burst.quiet, board)
    return waiting
  }

  return {
    get begun () { return begun },
    latest: key => lines.get(key)?.under.at(-1)?.flight,
    async next (key, came, begin, gathers) {
      let line = lines.get(key)
      if (line === undefined) lines.set(key, line = { under: [] })
      const latest = line.under.at(-1)
      if (latest !== undefined && latest.number > came) return { value: await latest.flight.landed, collapsed: true }
      if (line.waiting !== undefined) {
        line.waiting.joinedAt = now()
        return { value: await line.waiting.landed, collapsed: true }
      }
      const mayBegin = line.under.length === 0 || (!gathers && line.under.length < mostUnderWay)
      if (mayBegin) return { value: await takeOff(key, line, begin).landed, collapsed: false }
      line.waiting = wait(key, line, begin, gathers)
      return { value: await line.waiting.landed, collapsed: false }
    }
  }
}
