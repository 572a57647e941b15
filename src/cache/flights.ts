/** The making of an answer that is under way. */
export interface Flight<T> {
  readonly landed: Promise<T>
}

/** What a request that takes part in a flight gets. */
export interface Shared<T> {
  readonly value: T
  /** Whether the flight was begun for another request. */
  readonly collapsed: boolean
}

/** The flights of all keys: never more than two under way for a key. */
export interface Flights<F extends Flight<T>, T> {
  /** How many flights have begun: tells which of them began after a request came. */
  readonly begun: number
  /** Returns the flight of a key that was begun last, while it is under way. */
  latest: (key: string) => F | undefined
  /**
   * Returns what a flight of a key brings that began after a request came, or begins now.
   * @param came the count of flights that had begun when the request came
   * @param begin begins a flight; the first caller's is used
   * @param gathers whether a flight waits until the burst of requests is over, if another one is under way: for callers that can
   *   share no flight which has begun
   */
  next: (key: string, came: number, begin: () => F, gathers: boolean) => Promise<Shared<T>>
}

/** The flights of a key. */
interface Line<F, T> {
  /** Under way, the oldest first. */
  readonly under: Array<{ flight: F, number: number }>
  waiting?: Waiting<F, T> | undefined
}

/** A flight that has not begun. */
interface Waiting<F, T> {
  readonly begin: () => F
  readonly landed: Promise<T>
  readonly resolve: (landed: Promise<T>) => void
  /** Whether it only waits for a place. */
  boarded: boolean
  joinedAt: number
}

const mostUnderWay = 2

/** A burst is over when no request has come for `quiet` ms, and after `longest` ms at the latest. */
const burst = { quiet: 20, longest: 250 }

export function createFlights<F extends Flight<T>, T> (): Flights<F, T> {
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
    const began = performance.now()
    const waiting: Waiting<F, T> = { begin, landed, resolve, boarded: !gathers, joinedAt: began }
    const board = (): void => {
      const left = Math.min(waiting.joinedAt + burst.quiet, began + burst.longest) - performance.now()
      if (left > 0) {
        arm(left)
        return
      }
      waiting.boarded = true
      depart(key, line)
    }
    // Requests that have already arrived come first: a busy process must not take their wait for the end of the burst.
    const arm = (ms: number): void => { setTimeout(() => { setImmediate(board) }, ms) }
    if (gathers) arm(burst.quiet)
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
        line.waiting.joinedAt = performance.now()
        return { value: await line.waiting.landed, collapsed: true }
      }
      const mayBegin = line.under.length === 0 || (!gathers && line.under.length < mostUnderWay)
      if (mayBegin) return { value: await takeOff(key, line, begin).landed, collapsed: false }
      line.waiting = wait(key, line, begin, gathers)
      return { value: await line.waiting.landed, collapsed: false }
    }
  }
}
