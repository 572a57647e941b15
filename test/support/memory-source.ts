import type { ConfigSource } from '../../src/config/source.ts'

/** A source whose document is in memory, so that a test can change it. */
export interface MemorySource extends ConfigSource {
  /** Replaces the document and notifies watchers. @param document an object, a text, or an Error that reads throw */
  change: (document: unknown) => void
  readonly watched: boolean
}

export function memorySource (document: unknown): MemorySource {
  let now = document
  const listeners = new Set<() => void>()
  return {
    name: 'memory',
    title: 'a document in memory',
    read: async () => {
      if (now instanceof Error) throw now
      return typeof now === 'string' ? now : JSON.stringify(now)
    },
    watch (onChange) {
      listeners.add(onChange)
      return () => { listeners.delete(onChange) }
    },
    change (next) {
      now = next
      for (const listener of listeners) listener()
    },
    get watched () { return listeners.size > 0 }
  }
}
