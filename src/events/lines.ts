/** A place in a line: to be left whatever happens, or those behind wait for ever. */
export interface Place {
  /** Resolves when all have left who joined before; undefined where there is nobody. */
  readonly turn: Promise<unknown> | undefined
  leave: () => void
}

/** Lines by key. What is prepared side by side, one thing faster than another, goes on in the order in which it came. */
export interface Lines {
  /** Joins several lines at once; nobody can be before and behind the same other. */
  join: (keys: readonly string[]) => Place
}

export function createLines (): Lines {
  /** Of each line that last who joined it. */
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
