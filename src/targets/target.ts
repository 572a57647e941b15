import type { Static, TObject } from 'typebox'
import type { Shortfall as DeliveryShortfall } from '../delivery/shortfall.ts'
import type { Kind } from '../base/schema.ts'
import type { Scope } from '../connections/scope.ts'
import type { EventBody } from './body.ts'
import type { EventStats } from './stats.ts'

/** The events of a body that a target does not have, and the reason. */
export interface Shortfall extends DeliveryShortfall {
  /** The ids of the events that it does not have. It has the others. */
  readonly eventIds: readonly string[]
}

/** A destination of a namespace's events. */
export interface EventTarget {
  /** Whether its queue is full for now; absent: it has no limit. */
  readonly full?: boolean
  /** Returns whether the owner of a body uses its share of the queue for now; absent: there are no shares. */
  isFullFor?: (body: EventBody) => boolean
  /** Whether it takes whole bodies, so that one with conversions and no events is for it, too. */
  readonly takesBodies?: true
  /** Whether it takes what users see, as impressions. */
  readonly takesImpressions?: true
  /** The outcome in answers for events that it took; absent: `delivered`. */
  readonly accepted?: 'queued'
  /**
   * Delivers a body, and resolves once the outcome is known. Bodies of one user arrive in the order of the calls.
   * @returns the events that the target does not have, and the reason; undefined if it has all
   */
  deliver: (body: EventBody) => Promise<Shortfall | undefined>
}

export interface EventScope extends Scope {
  /** The counts of events by target. */
  eventStats: EventStats
}

export interface EventTargetScope extends EventScope {
  /** The target's name in answers: its type, with a number from the second target of a type on. */
  readonly target: string
}

/** A kind of target: the schema of its part of the configuration, and its factory. */
export interface EventTargetType<S extends TObject = TObject> extends Kind<S> {
  /** Returns the problems of a configuration that the schema allows, each with its key. */
  check?: (config: Static<S>) => Array<{ key: string, message: string }>
  open: (config: Static<S>, scope: EventTargetScope) => Promise<EventTarget>
}

/** Returns a type of target whose factory's parameter is checked against its schema. Types of all schemas fit into one registry. */
export function eventTargetType<S extends TObject> (type: EventTargetType<S>): EventTargetType {
  return type
}

/** Returns whether a body has something for a target. */
export function isFor ({ takesBodies }: EventTarget, { events, conversions }: EventBody): boolean {
  return events.length > 0 || (takesBodies === true && conversions.length > 0)
}

/** Returns the shortfall of a target that has nothing of a body. */
export function nothingOf ({ events }: EventBody, reason: string, more: { retryable: boolean, cause?: unknown }): Shortfall {
  return { reason, ...more, eventIds: events.map(({ eventId }) => eventId) }
}

/** Delivers a body. An error that the target throws is a defect in the gateway: the target has nothing, and a retry may help. */
export async function deliverTo (target: EventTarget, body: EventBody): Promise<Shortfall | undefined> {
  try {
    return await target.deliver(body)
  } catch (cause) {
    return nothingOf(body, 'something went wrong on our side', { retryable: true, cause })
  }
}
