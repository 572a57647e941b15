import { GatewayError } from './errors.ts'

/** A share of the memory for large bodies. */
export interface BodyRoom {
  /** Takes room, and waits for it if there is none. @returns a function that gives it back @throws GatewayError 503 */
  take: (bytes: number) => Promise<() => void>
  /** Takes room that is in use already, whether there is any or not. @returns a function that gives it back */
  occupy: (bytes: number) => () => void
}

export interface BodyRoomOptions {
  /** In bytes. A body that is larger gets all of it. */
  capacity: number
  /** The most bodies that wait. */
  mostWaiting?: number
  /** The longest wait, in ms. */
  patience?: number
  /** Returns the error for a body that finds no room. */
  refusal?: () => GatewayError
}

interface Waiting {
  readonly bytes: number
  readonly begin: (free: () => void) => void
}

/** Creates room, which bodies get in the order in which they asked for it. */
export function createBodyRoom ({ capacity, mostWaiting = 64, patience = 10_000, refusal = tooMany }: BodyRoomOptions): BodyRoom {
  const waiting = new Set<Waiting>()
  let free = capacity

  function serve (): void {
    for (const first of waiting) {
      if (first.bytes > free) return
      waiting.delete(first)
      first.begin(occupy(first.bytes))
    }
  }

  function occupy (bytes: number): () => void {
    free -= bytes
    let taken = true
    return () => {
      if (taken) free += bytes
      taken = false
      serve()
    }
  }

  return {
    occupy,
    async take (wanted) {
      const bytes = Math.min(wanted, capacity)
      if (waiting.size >= mostWaiting) throw refusal()
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(place)
          reject(refusal())
          serve()
        }, patience)
        const place: Waiting = { bytes, begin (free) { clearTimeout(timer); resolve(free) } }
        waiting.add(place)
        serve()
      })
    }
  }
}

function tooMany (): GatewayError {
  return new GatewayError('TooManyBodies', 'too many large bodies arrive at once; send this one again later', { retryAfter: 1 })
}
