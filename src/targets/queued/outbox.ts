import { setTimeout } from 'node:timers/promises'

/** What has to be done some time, many at once, and again until it succeeds. */
export interface Outbox<T> {
  add: (value: T) => void
  /** Resolves when nothing is left, or none of the rest will be done any more. */
  emptied: () => Promise<void>
}

export interface OutboxOptions<T> {
  /** Done again whole where it throws: twice has to be as good as once. */
  send: (values: readonly T[]) => Promise<void>
  onSent: (values: readonly T[]) => void
  onError: (error: unknown) => void
  /** Ends the tries. */
  signal: AbortSignal
  /** How many go at once. */
  most?: number
  /** Between tries, in ms. */
  pause?: number
}

/** Bounded by who adds. */
export function createOutbox<T> ({ send, onSent, onError, signal, most = 200, pause = 100 }: OutboxOptions<T>): Outbox<T> {
  const waiting: T[] = []
  let sending: Promise<void> | undefined

  async function sendAll (): Promise<void> {
    while (waiting.length > 0 && !signal.aborted) {
      const batch = waiting.slice(0, most)
      try {
        await send(batch)
        waiting.splice(0, batch.length)
        onSent(batch)
      } catch (error) {
        onError(error)
        await setTimeout(pause, undefined, { signal }).catch(() => {})
      }
    }
    sending = undefined
  }

  return {
    add (value) {
      waiting.push(value)
      sending ??= sendAll()
    },
    emptied: async () => sending
  }
}
