import { GatewayError } from './errors.ts'

/** The memory for large bodies that are being received and read. */
export interface BodyRoom {
  /** Takes room, and waits for it if there is none. @returns a function that gives it back @throws GatewayError 503 */
  take: (bytes: number) => Promise<() => void>
}

export interface BodyRoomOptions {
  /** In bytes. A body that is larger gets all of it. */
  capacity: number
  /** The most bodies that wait. */
  mostWaiting?: number
  /** The longest wait, in ms. */
  patience?: number
}

interface Waiting {
  readonly bytes: number
  readonly begin: () => void
}

/** Creates room, which bodies get in the order in which they asked for it. */
export function createBodyRoom ({ capacity, mostWaiting = 64, patience = 10_000 }: BodyRoomOptions): BodyRoom {
  const waiting = new Set<Waiting>()
  let free = capacity

  function serve (): void {
    for (const first of waiting) {
      if (first.bytes > free) return
      waiting.delete(first)
      free -= first.bytes
      first.begin()
    }
  }

  return {
    async take (wanted) {
      const bytes = Math.min(wanted, capacity)
      if (waiting.size >= mostWaiting) throw tooMany()
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(place)
          reject(tooMany())
          serve()
        }, patience)
        const place = { bytes, begin () { clearTimeout(timer); resolve() } }
        waiting.add(place)
        serve()
      })
      let taken = true
      return () => {
        if (taken) free += bytes
        taken = false
        serve()
      }
    }
  }
}

function tooMany (): GatewayError {
  return new GatewayError('TooManyBodies', 'too many large bodies arrive at once; send this one again later', { retryAfter: 1 })
}
