import type { Static, TObject } from 'typebox'
import type { Kind } from '../base/schema.ts'

/** The user of a request, and what decides beside it. */
export interface Unit {
  readonly userId: string
  /** The resolved context of the request. */
  readonly context: Readonly<Record<string, string>> | undefined
  /** Epoch milliseconds. */
  readonly now: number
}

/** Why a user gets a variation: by the experiment's own split (`assigned`), or for a reason that keeps the user out of the experiment. */
export type Why = 'assigned' | 'override' | 'not-running' | 'audience' | 'layer' | 'exposure' | 'unavailable'

export interface Assignment {
  /** The variation to serve; undefined for the recommender's first one. */
  readonly variation: string | undefined
  readonly why: Why
  /** The numbers from 0 to 1 that decided, by what they decided. */
  readonly hashes: Readonly<Record<string, number>>
}

/** Returns whether an assignment counts in the results. The other ones are served only. */
export function isExposed ({ why }: Assignment): boolean {
  return why === 'assigned'
}

/** An experiment that is ready to assign. */
export interface Experiment {
  /** Returns the assignment of a unit. It never rejects: a failure gives the first variation, with the reason `unavailable`. */
  readonly assign: (unit: Unit) => Assignment | Promise<Assignment>
  /** The share that the split intends for each variation, summing to 1; undefined where another system decides. */
  readonly shares: ReadonlyMap<string, number> | undefined
}

/** The place of an experiment in the configuration. */
export interface ExperimentPlace {
  readonly namespace: string
  readonly recommender: string
  readonly feature: string
  /** The recommender's variations, in the order of the document. */
  readonly variations: readonly string[]
}

/** A method of assigning variations. */
export interface ExperimentMethod extends Kind {
  /** @throws UserError if the configuration cannot be used */
  readonly open: (config: object, place: ExperimentPlace) => Experiment | Promise<Experiment>
}

/** Returns a method whose `open` gets a configuration that its schema has validated. */
export function experimentMethod<S extends TObject> ({ type, schema, open }: { type: string, schema: S, open: (config: Static<S>, place: ExperimentPlace) => Experiment | Promise<Experiment> }): ExperimentMethod {
  return { type, schema, open: open as ExperimentMethod['open'] }
}
