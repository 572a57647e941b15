/** The team of an item in a blended list: the first list, the second, or none (both would have placed it, or only one had an item left). */
export type Team = 0 | 1 | undefined

export interface Drafted<T> {
  readonly item: T
  readonly team: Team
}

/**
 * Blends two lists by team draft in rounds of two (Radlinski et al., 2008, with the competitive pairs of Bi et al., arXiv 2508.00751). In
 * each round, both lists name their best item that is not placed yet. Is it the same item, it is placed once, for no team. Otherwise a
 * coin decides whose item comes first, and both are placed. When one list has no item left, the rest of the other follows, for no team.
 * A pair of which only one item has room is for no team, so that each team has as many items that count as the other.
 * @param idOf returns the identity of an item
 * @param size the most items of the result
 * @param firstBegins returns whether the first list's item comes first in a round; equal for equal rounds, so that pages of a list agree
 */
export function draft<T> (first: readonly T[], second: readonly T[], { idOf, size, firstBegins }: { idOf: (item: T) => string, size: number, firstBegins: (round: number) => boolean }): Array<Drafted<T>> {
  const placed = new Set<string>()
  const drafted: Array<Drafted<T>> = []
  const picks = [picker(first, idOf, placed), picker(second, idOf, placed)] as const

  function place (item: T, team: Team): void {
    placed.add(idOf(item))
    drafted.push({ item, team })
  }

  for (let round = 0; drafted.length < size; round++) {
    const a = picks[0]()
    const b = picks[1]()
    const only = a ?? b
    if (only === undefined) break
    if (a === undefined || b === undefined || idOf(a) === idOf(b)) {
      place(only, undefined)
      continue
    }
    const pair = firstBegins(round) ? [[a, 0], [b, 1]] as const : [[b, 1], [a, 0]] as const
    const whole = size - drafted.length >= 2
    for (const [item, team] of whole ? pair : pair.slice(0, 1)) place(item, whole ? team : undefined)
  }
  return drafted
}

/** Returns a function that returns a list's best item that is not placed yet. */
function picker<T> (list: readonly T[], idOf: (item: T) => string, placed: ReadonlySet<string>): () => T | undefined {
  let next = 0
  return () => {
    while (next < list.length && placed.has(idOf(list[next]!))) next++
    return list[next]
  }
}
