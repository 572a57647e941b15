import { type EventTarget } from './target.ts'

/** Stands in for a target of a type that this build does not have, so that its events are reported and not lost in silence. */
export function undeliverable (type: string): EventTarget {
  return {
    name: type,
    deliver: async () => { throw new Error(`the event target "${type}" is not available in this build`) }
  }
}
