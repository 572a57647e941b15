/** A place in one or more lines. The caller has to leave it in every case, or the callers behind it wait for ever. */
export interface Place {
  /** Resolves when all callers that joined before have left; undefined if there are none. */
  readonly turn: Promise<unknown> | undefined
  leave: () => void
}

/** Waiting lines by key. Tasks that are prepared concurrently, and not equally fast, continue in the order in which they joined. */
export interface Lines {
  /** Joins several lines at once. Of two callers, the same one is in front in every line that they share. */
  join: (keys: readonly string[]) => Place
}

export function createLines (): Lines {
  /** By line, a promise that resolves when the last caller in the line has left. */
  const ends = new Map<string, Promise<void>>()
  return {
    join (keys) {
      const before = new Set(keys.map(key => ends.get(key)).filter(end => end !== undefined))
      let pass = (): void => {}
      const left = new Promise<void>(resolve => { pass = resolve })
      for (const key of keys) ends.set(key, left)
      return {
        turn: before.size === 0 ? undefined : Promise.all(before),
        leave () {
          pass()
          for (const key of keys) if (ends.get(key) === left) ends.delete(key)
        }
      }
    }
  }
}
