import type { Interactions } from './interactions.ts'

/**
 * Takes the interactions of a user apart, each part still newest first.
 * @param newest the user's newest interaction; 0 if there is none
 * @param picks whether an interaction belongs to the first part
 * @param mostSteps interactions to look at; older ones stay in the second part
 * @returns the newest interaction of each part; 0 if it is empty
 */
export function splitChain (interactions: Interactions, newest: number, picks: (interaction: number) => boolean, mostSteps: number): [picked: number, rest: number] {
  const [picked, rest] = [createChain(interactions), createChain(interactions)]
  let at = interactions.isKept(newest) ? newest : 0
  for (let steps = mostSteps; at !== 0 && steps > 0; steps--) {
    const previous = interactions.previousOfUser(at)
    if (picks(at)) picked.add(at)
    else rest.add(at)
    at = previous
  }
  picked.add(0)
  rest.add(at)
  return [picked.newest, rest.newest]
}

/**
 * Merges two chains of interactions into one, newest first.
 * @param mostSteps interactions to look at; then the rest of `other` is left out
 * @returns the newest interaction; 0 if both chains are empty
 */
export function mergeChains (interactions: Interactions, own: number, other: number, mostSteps: number): number {
  const merged = createChain(interactions)
  let [a, b] = [own, other].map(newest => interactions.isKept(newest) ? newest : 0) as [number, number]
  for (let steps = mostSteps; a !== 0 && b !== 0 && steps > 0; steps--) {
    const newer = Math.max(a, b)
    const previous = interactions.previousOfUser(newer)
    merged.add(newer)
    if (newer === a) a = previous
    else b = previous
  }
  merged.add(a === 0 ? b : a)
  return merged.newest
}

/** Returns a chain that is built from its newest interaction on. Adding 0 ends it. */
function createChain (interactions: Interactions): { readonly newest: number, add: (interaction: number) => void } {
  let [newest, oldest] = [0, 0]
  return {
    get newest () { return newest },
    add (interaction) {
      if (oldest === 0) newest = interaction
      else interactions.setPreviousOfUser(oldest, interaction)
      oldest = interaction
    }
  }
}
