/** The reads and events of bench/soak.ts. The same seed gives the same traffic. */

export interface Mix {
  /** The number of users. They are drawn by a Zipf distribution of their popularity. */
  users: number
  /** Requests a second, all users together. */
  rate: number
  /** Share of the requests that are events. */
  events: number
  /**
   * The mean time between two requests of a user in a session, in seconds, of an exponential distribution. Zero: there are no sessions,
   * and the user of each request is drawn anew, however soon after the user's last request.
   */
  pace: number
  /** The mean length of a session, in requests, of a geometric distribution. */
  session: number
}

export interface Step {
  /** Seconds since the beginning. */
  at: number
  user: number
  kind: 'read' | 'event'
}

/** The exponent of the Zipf distribution. */
const exponent = 1

/** Yields the steps of a mix, without end. */
export function * createTraffic (mix: Mix, seed: number): Generator<Step> {
  const random = createRandom(seed)
  const draw = createZipf(mix.users, random)
  const kind = (): Step['kind'] => random() < mix.events ? 'event' : 'read'
  if (mix.pace === 0) {
    for (let i = 0; ; i++) yield { at: i / mix.rate, user: draw(), kind: kind() }
  }
  yield * sessions(mix, random, draw, kind)
}

/** Yields the steps of as many concurrent sessions as the rate needs. After a session ends, one of a user without a session begins. */
function * sessions ({ rate, pace, session, users }: Mix, random: () => number, draw: () => number, kind: () => Step['kind']): Generator<Step> {
  const count = Math.round(rate * pace)
  if (count > users / 4) throw new Error(`${count} sessions at a time are too many for ${users} users`)
  const active = new Set<number>()
  const begin = (): number => {
    for (;;) {
      const user = draw()
      if (active.has(user)) continue
      active.add(user)
      return user
    }
  }
  const wait = (): number => -Math.log(1 - random()) * pace
  const queue = createQueue()
  for (let i = 0; i < count; i++) queue.push({ at: wait(), user: begin() })
  for (;;) {
    const { at, user } = queue.pop()
    yield { at, user, kind: kind() }
    if (random() < 1 / session) {
      active.delete(user)
      queue.push({ at: at + wait(), user: begin() })
    } else {
      queue.push({ at: at + wait(), user })
    }
  }
}

interface Due {
  at: number
  user: number
}

/** Creates a queue of requests: a binary heap with the earliest one first. */
function createQueue (): { push: (due: Due) => void, pop: () => Due } {
  const heap: Due[] = []
  const swap = (i: number, j: number): void => { [heap[i], heap[j]] = [heap[j]!, heap[i]!] }
  return {
    push (due) {
      let i = heap.push(due) - 1
      while (i > 0) {
        const parent = (i - 1) >> 1
        if (heap[parent]!.at <= heap[i]!.at) break
        swap(i, parent)
        i = parent
      }
    },
    pop () {
      swap(0, heap.length - 1)
      const first = heap.pop()!
      for (let i = 0; ;) {
        let least = i
        for (const child of [2 * i + 1, 2 * i + 2]) if (child < heap.length && heap[child]!.at < heap[least]!.at) least = child
        if (least === i) return first
        swap(i, least)
        i = least
      }
    }
  }
}

function createZipf (count: number, random: () => number): () => number {
  const upTo = new Float64Array(count)
  let sum = 0
  for (let i = 0; i < count; i++) upTo[i] = sum += 1 / (i + 1) ** exponent
  return () => {
    const target = random() * sum
    let [low, high] = [0, count - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if (upTo[middle]! > target) high = middle
      else low = middle + 1
    }
    return low
  }
}

/** Returns a seeded generator of random numbers: Mulberry32. */
export function createRandom (seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
