import { hash } from 'node:crypto'

/**
 * What state the data are in that answers are made of, by name: a catalog, a history. Where one was replaced whole, answers made of
 * the one before are not to be found any more.
 */
export interface Revisions {
  /** @param revision the same for the same data, on every instance */
  set: (name: string, revision: string) => void
  /** Stands for all of them. */
  readonly digest: string
  /** @returns what ends it */
  onChange: (listener: () => void) => () => void
}

export function createRevisions (): Revisions {
  const revisions = new Map<string, string>()
  const listeners = new Set<() => void>()
  let digest = ''
  return {
    set (name, revision) {
      if (revisions.get(name) === revision) return
      revisions.set(name, revision)
      digest = hash('sha1', JSON.stringify([...revisions].sort(([a], [b]) => a < b ? -1 : 1)), 'base64url')
      for (const listener of listeners) listener()
    },
    get digest () { return digest },
    onChange (listener) {
      listeners.add(listener)
      return () => { listeners.delete(listener) }
    }
  }
}
