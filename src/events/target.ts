import { type Static, type TObject } from 'typebox'
import { type Kind } from '../schema.ts'
import { type Scope } from '../scope.ts'
import { type UserEvent } from './event.ts'

/** Where a namespace's events go. */
export interface EventTarget {
  /** What it is called in an answer. */
  readonly name: string
  /**
   * Resolves once the target has every event; sending one again, by its id, changes nothing.
   * @throws what the target said
   */
  deliver: (events: readonly UserEvent[]) => Promise<void>
}

/** A kind of target: the schema of its part of the configuration, and its factory. */
export interface EventTargetType<S extends TObject = TObject> extends Kind<S> {
  open: (config: Static<S>, scope: Scope) => Promise<EventTarget>
}

export function eventTargetType<S extends TObject> (type: EventTargetType<S>): EventTargetType {
  return type
}
