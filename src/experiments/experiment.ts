import type { Static, TObject } from 'typebox'
import type { Kind } from '../base/schema.ts'
import type { Scope } from '../connections/scope.ts'
import type { Action } from '../origins/origin.ts'
import type { Metrics } from './metrics.ts'
import type { ExperimentStats } from './stats.ts'

/** The user of a request, and what decides beside it. */
export interface Unit {
  readonly userId: string
  /** The resolved context of the request. */
  readonly context: Readonly<Record<string, string>> | undefined
  /** Epoch milliseconds. */
  readonly now: number
}

/** Why a user gets a variation: by the experiment's own split (`assigned`), or for a reason that keeps the user out of the experiment. */
export const reasons = ['assigned', 'override', 'not-running', 'audience', 'layer', 'exposure', 'not-in-experiment', 'unavailable'] as const
export type Why = typeof reasons[number]

export interface Assignment {
  /** The variation to serve; undefined for the recommender's first one. */
  readonly variation: string | undefined
  readonly why: Why
  /** The numbers from 0 to 1 that decided, by what they decided. */
  readonly hashes: Readonly<Record<string, number>>
  /** The description of the assignment by another system, for `matchedExperiment` of the answer. */
  readonly details?: Readonly<Record<string, unknown>> | undefined
}

/** Returns whether an assignment counts in the results. The other ones are served only. */
export function isExposed ({ why }: Assignment): boolean {
  return why === 'assigned'
}

/** Something of an experiment that another system is told of. */
export type Reported =
  | { readonly kind: 'exposure', readonly userId: string }
  | { readonly kind: 'conversion', readonly userId: string, readonly metric: string, readonly value: number | undefined }

/** An experiment that is ready to assign. */
export interface Experiment {
  /** Returns the assignment of a unit. It never rejects: a failure gives the first variation, with the reason `unavailable`. */
  readonly assign: (unit: Unit) => Assignment | Promise<Assignment>
  /**
   * Returns the time, in epoch ms, until which the assignments of the moment `now` stay as they are; absent where another system decides,
   * which may change its mind at any time.
   */
  readonly settledUntil?: (now: number) => number
  /** The share that the split intends for each variation, summing to 1; undefined where another system decides. */
  readonly shares: ReadonlyMap<string, number> | undefined
  /** The two variations whose lists become one list for everybody who is assigned, and the seed of the draft; absent: each user gets one variation. */
  readonly blended?: { readonly variations: readonly [string, string], readonly seed: string }
  /** Tells the system behind the experiment. It does not wait, and its queue is bounded. Absent: there is none. */
  readonly report?: (reported: Reported) => void
}

/** The parts of an experiment that results name. Its id is namespace, action, recommender and feature, separated by `/`. */
export interface ExperimentIdentity {
  readonly id: string
  readonly namespace: string
  readonly action: Action
  readonly recommender: string
  readonly feature: string
  /** The type of its method. */
  readonly method: string
  /** The recommender's variations, in the order of the document. */
  readonly variations: readonly string[]
  /** The metrics that it counts; undefined if it names none, and takes any conversion. */
  readonly metrics: Metrics | undefined
}

/** The place of an experiment in the configuration. */
export interface ExperimentPlace {
  readonly namespace: string
  readonly action: string
  readonly recommender: string
  readonly feature: string
  /** The recommender's variations, in the order of the document. */
  readonly variations: readonly string[]
}

/** Returns the id of an experiment: namespace, action, recommender and feature. */
export function experimentIdOf ({ namespace, action, recommender, feature }: Omit<ExperimentPlace, 'variations'>): string {
  return [namespace, action, recommender, feature].join('/')
}

/** The resources of experiments that all configurations of a process share. */
export interface ExperimentResources {
  /** The endpoint of CloudWatch Evidently; absent: its experiments are evaluated here. */
  evidentlyEndpoint?: string | undefined
  /** The URL of the AppConfig agent. */
  appConfigAgentUrl: string
  experimentStats: ExperimentStats
}

export type ExperimentScope = Scope & ExperimentResources

/** A method of assigning variations: the schema of its part of the configuration, and its factory. */
export interface ExperimentMethod<S extends TObject = TObject> extends Kind<S> {
  /** Returns the problems of a configuration that the schema allows, each with its key. */
  readonly check?: (config: Static<S>) => Array<{ key: string, message: string }>
  /** The actions whose recommenders it can test; absent: all. */
  readonly actions?: readonly string[]
  /** @throws UserError if the configuration cannot be used */
  readonly open: (config: Static<S>, place: ExperimentPlace, scope: ExperimentScope) => Experiment | Promise<Experiment>
}

/** Returns a method whose `open` gets a configuration that its schema has validated. Methods of all schemas fit into one registry. */
export function experimentMethod<S extends TObject> (method: ExperimentMethod<S>): ExperimentMethod {
  return method
}
