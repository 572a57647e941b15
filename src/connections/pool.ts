/** A shared resource, held until it is released. */
export interface Lease<T> {
  readonly value: T
  release: () => void
}

/** Resources that are shared by key. A resource without holders is closed after a grace period, so that requests under way can end. */
export interface Pool {
  /**
   * Returns a lease of the resource with the key, opening it if necessary. If `open` fails, the pool keeps no entry.
   * @param close closes the resource; the pool uses the one of the caller that opened it
   */
  acquire: <T>(key: string, open: () => Promise<T>, close: (value: T) => Promise<void> | void, options?: AcquireOptions) => Promise<Lease<T>>
  /** Closes all resources, held or not. Afterwards nothing can be acquired. */
  close: () => Promise<void>
}

export interface AcquireOptions {
  /** Closes the resource before all others when the pool closes, as closing it still needs them. */
  first?: boolean
}

interface Entry {
  opened: Promise<unknown>
  first: boolean
  close: () => Promise<void>
  holders: number
  timer?: NodeJS.Timeout
  closing?: Promise<void>
}

export interface PoolOptions {
  /** Receives errors of closing. */
  onError: (error: unknown) => void
  /** Time from the last release to closing, in ms; at least that of the longest request. */
  grace?: number
}

/** Creates an empty pool. */
export function createPool ({ onError, grace = 30_000 }: PoolOptions): Pool {
  const entries = new Map<string, Entry>()
  let closed = false

  // The entry stays until it is closed: a caller that acquires the same key meanwhile waits for it.
  async function remove (key: string, entry: Entry): Promise<void> {
    entry.closing ??= entry.close().catch(onError).finally(() => { entries.delete(key) })
    await entry.closing
  }

  async function entryFor<T> (key: string, open: () => Promise<T>, close: (value: T) => Promise<void> | void, { first = false }: AcquireOptions = {}): Promise<Entry> {
    for (let known = entries.get(key); known !== undefined; known = entries.get(key)) {
      if (known.closing === undefined) return known
      await known.closing
    }
    if (closed) throw new Error('the gateway is closing')
    const opened = open()
    const entry = { opened, first, holders: 0, close: async () => close(await opened) }
    entries.set(key, entry)
    return entry
  }

  function release (key: string, entry: Entry): void {
    if (--entry.holders > 0 || entry.closing !== undefined) return
    entry.timer = setTimeout(() => { void remove(key, entry) }, grace).unref()
  }

  return {
    async acquire<T> (key: string, open: () => Promise<T>, close: (value: T) => Promise<void> | void, options?: AcquireOptions) {
      const entry = await entryFor(key, open, close, options)
      clearTimeout(entry.timer)
      entry.holders++
      try {
        const value = await entry.opened as T
        let held = true
        return {
          value,
          release () {
            if (held) release(key, entry)
            held = false
          }
        }
      } catch (error) {
        if (entries.get(key) === entry) entries.delete(key)
        throw error
      }
    },
    async close () {
      closed = true
      const open = [...entries]
      for (const [, entry] of open) clearTimeout(entry.timer)
      for (const turn of [true, false]) {
        await Promise.all(open.filter(([, { first }]) => first === turn).map(async ([key, entry]) => remove(key, entry)))
      }
    }
  }
}
