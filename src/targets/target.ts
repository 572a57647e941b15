import type { Static, TObject } from 'typebox'
import type { Shortfall as DeliveryShortfall } from '../delivery/shortfall.ts'
import type { Kind } from '../base/schema.ts'
import type { Scope } from '../connections/scope.ts'
import type { EventBody } from './body.ts'
import type { EventStats } from './stats.ts'

/** What a target does not have of a body, and why. */
export interface Shortfall extends DeliveryShortfall {
  /** The events that it does not have; it has the others. */
  readonly eventIds: readonly string[]
}

/** Where a namespace's events go. */
export interface EventTarget {
  /** Whether it takes no more for now; absent: it always does. */
  readonly full?: boolean
  /** What a caller is told of events that it took; absent: delivered. */
  readonly accepted?: 'queued'
  /**
   * Resolves once it is known what became of a body. Bodies of one user arrive in the order of the calls.
   * @returns what the target does not have of it; undefined where it has all
   */
  deliver: (body: EventBody) => Promise<Shortfall | undefined>
}

export interface EventScope extends Scope {
  /** Counts what became of events. */
  eventStats: EventStats
}

export interface EventTargetScope extends EventScope {
  /** What the target is called in answers: its type, numbered from the second of a type on. */
  readonly target: string
}

/** A kind of target: the schema of its part of the configuration, and its factory. */
export interface EventTargetType<S extends TObject = TObject> extends Kind<S> {
  /** What is wrong with a configuration that the schema allows: a key for each. */
  check?: (config: Static<S>) => Array<{ key: string, message: string }>
  open: (config: Static<S>, scope: EventTargetScope) => Promise<EventTarget>
}

/** Ties a factory's parameter to its schema, then forgets which, so that kinds of all schemas fit one registry. */
export function eventTargetType<S extends TObject> (type: EventTargetType<S>): EventTargetType {
  return type
}

/** That a target has nothing of a body. */
export function nothingOf ({ events }: EventBody, reason: string, more: { retryable: boolean, cause?: unknown }): Shortfall {
  return { reason, ...more, eventIds: events.map(({ eventId }) => eventId) }
}

/** Delivers, and takes what a target throws for a fault of ours that may pass. */
export async function deliverTo (target: EventTarget, body: EventBody): Promise<Shortfall | undefined> {
  try {
    return await target.deliver(body)
  } catch (cause) {
    return nothingOf(body, 'something went wrong on our side', { retryable: true, cause })
  }
}
