/** Something opened that is shared, until it is released. */
export interface Lease<T> {
  readonly value: T
  release: () => void
}

/** Opened things shared by key. One that nobody holds any more is closed after a grace, so that requests under way can end. */
export interface Pool<T> {
  /** What is open under the key, or else what `open` gives. Where `open` fails, nothing stays behind. */
  acquire: (key: string, open: () => Promise<T>) => Promise<Lease<T>>
  /** Closes everything, held or not. */
  close: () => Promise<void>
}

interface Entry<T> {
  opened: Promise<T>
  holders: number
  closing?: NodeJS.Timeout
}

/**
 * @param shut closes one thing
 * @param graceMs from the last release to closing; no less than the longest request
 */
export function createPool<T> (shut: (value: T) => Promise<void>, graceMs = 30_000): Pool<T> {
  const entries = new Map<string, Entry<T>>()

  async function remove (key: string, entry: Entry<T>): Promise<void> {
    if (entries.get(key) === entry) entries.delete(key)
    await shut(await entry.opened)
  }

  function lease (key: string, entry: Entry<T>, value: T): Lease<T> {
    let held = true
    return {
      value,
      release () {
        if (!held) return
        held = false
        if (--entry.holders > 0 || entries.get(key) !== entry) return
        entry.closing = setTimeout(() => { remove(key, entry).catch(() => {}) }, graceMs).unref()
      }
    }
  }

  return {
    async acquire (key, open) {
      let entry = entries.get(key)
      if (entry === undefined) {
        entry = { opened: open(), holders: 0 }
        entries.set(key, entry)
      }
      clearTimeout(entry.closing)
      entry.holders++
      try {
        return lease(key, entry, await entry.opened)
      } catch (error) {
        if (entries.get(key) === entry) entries.delete(key)
        throw error
      }
    },
    async close () {
      const open = [...entries]
      for (const [, entry] of open) clearTimeout(entry.closing)
      await Promise.allSettled(open.map(async ([key, entry]) => remove(key, entry)))
    }
  }
}
