import type { Static, TObject } from 'typebox'
import type { Kind } from '../schema.ts'
import type { Scope } from '../scope.ts'
import type { UserEvent } from './event.ts'

/** Where a namespace's events go. */
export interface EventTarget {
  /**
   * Resolves once the target has every event; sending one again, by its id, changes nothing.
   * @throws DeliveryError, whose message the caller may read, or what went wrong inside
   */
  deliver: (events: readonly UserEvent[]) => Promise<void>
}

/** Why a target does not have the events, in words for the caller. */
export class DeliveryError extends Error {
  constructor (message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'DeliveryError'
  }
}

/** A kind of target: the schema of its part of the configuration, and its factory. */
export interface EventTargetType<S extends TObject = TObject> extends Kind<S> {
  /** Absent where this build does not have it: then its events are reported as not delivered. */
  open?: (config: Static<S>, scope: Scope) => Promise<EventTarget>
}

/** Ties a factory's parameter to its schema, then forgets which, so that kinds of all schemas fit one registry. */
export function eventTargetType<S extends TObject> (type: EventTargetType<S>): EventTargetType {
  return type
}

/** Stands in for a target that this build does not have, so that its events are reported and not lost in silence. */
export function missingTarget (type: string): EventTarget {
  return { deliver: async () => { throw new DeliveryError(`"${type}" is not available in this build`) } }
}
