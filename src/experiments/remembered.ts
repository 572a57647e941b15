import { LRUCache } from 'lru-cache'
import { startDeadline } from '../base/deadline.ts'
import { Trouble } from './trouble.ts'

export interface RememberedOptions {
  /** The most answers that are remembered. */
  most: number
  /** How long an answer is remembered, in ms. */
  age: number
  /** The longest time that a request waits for an answer, in ms. */
  patience: number
  /** The most calls that are under way at the same time. */
  mostUnderWay: number
  /** Milliseconds on a clock that nobody sets. */
  steady: () => number
}

/** The remembered answers of a system that decides on users. Failures are not remembered. */
export interface Remembered<T> {
  /**
   * Returns the remembered answer of a key, or else a promise of the answer of a call. Concurrent calls for one key are one call. The
   * promise settles in time; it rejects if the call fails or takes too long, or if too many calls are under way.
   */
  of: (key: string, call: (signal: AbortSignal) => Promise<T>) => T | Promise<T>
}

/** Creates an empty memory of answers. */
export function createRemembered<T extends object> ({ most, age, patience, mostUnderWay, steady }: RememberedOptions): Remembered<T> {
  const answers = new LRUCache<string, { answer: T, until: number }>({ max: most })
  const underWay = new Map<string, Promise<T>>()

  async function ask (key: string, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { signal, clear } = startDeadline(patience)
    try {
      // A client may do something before its call, such as getting credentials, that the signal does not end.
      const answer = await Promise.race([rejectionOf(signal), call(signal)])
      answers.set(key, { answer, until: steady() + age })
      return answer
    } finally {
      clear()
      underWay.delete(key)
    }
  }

  return {
    of (key, call) {
      const known = answers.get(key)
      if (known !== undefined && known.until > steady()) return known.answer
      const joined = underWay.get(key)
      if (joined !== undefined) return joined
      if (underWay.size >= mostUnderWay) return Promise.reject(new Trouble('too many calls are under way'))
      const asked = ask(key, call)
      underWay.set(key, asked)
      return asked
    }
  }
}

/** Returns a promise that rejects when a signal aborts. */
async function rejectionOf (signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => { reject(new Trouble('it does not answer in time')) })
  })
}
