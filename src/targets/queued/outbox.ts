import { setTimeout } from 'node:timers/promises'

/** A queue that sends its values in the background, in batches, and retries each batch until it succeeds. */
export interface Outbox<T> {
  add: (value: T) => void
  /** Resolves when the outbox has sent all values, or has stopped trying. */
  emptied: () => Promise<void>
}

export interface OutboxOptions<T> {
  /** Sends values. It has to be idempotent: if it throws, the outbox sends all of them again. */
  send: (values: readonly T[]) => Promise<void>
  onSent: (values: readonly T[]) => void
  onError: (error: unknown) => void
  /** Ends the tries. */
  signal: AbortSignal
  /** The most values of one batch. */
  most?: number
  /** The pause between two tries, in ms. */
  pause?: number
}

/** Creates an outbox. The caller has to bound how many values it holds. */
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
