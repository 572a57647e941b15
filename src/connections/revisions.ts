import { hash } from 'node:crypto'

/**
 * Revisions of the data that answers are computed from (such as a catalog or a log of events), by name. When one is replaced as a whole,
 * the digest changes, so that cached answers from the old data are no longer found.
 */
export interface Revisions {
  /** @param revision the same for the same data, on every instance */
  set: (name: string, revision: string) => void
  /** Digest of all revisions. */
  readonly digest: string
  /** Calls the listener after each change of the digest. @returns a function that removes the listener */
  onChange: (listener: () => void) => () => void
}

/** Creates an empty set of revisions. */
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
