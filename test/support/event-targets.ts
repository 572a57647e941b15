import type { FastifyInstance } from 'fastify'
import { GatewayError } from '../../src/base/errors.ts'
import { createDispatch, type Dispatch, type Shortfalls } from '../../src/events/dispatch.ts'
import type { EventBody } from '../../src/targets/body.ts'
import type { UserEvent } from '../../src/targets/event.ts'
import { createLedger, type Ledger } from '../../src/events/ledger.ts'
import { createEventStats, type EventStats } from '../../src/targets/stats.ts'
import { nothingOf, type EventTarget, type Shortfall } from '../../src/targets/target.ts'

export interface RecordingTarget extends EventTarget {
  /** The delivered bodies, in order. */
  readonly bodies: readonly EventBody[]
  readonly events: readonly UserEvent[]
  readonly eventIds: readonly string[]
  full: boolean
  /** Returns the outcome of later deliveries. */
  answer: (body: EventBody) => Promise<Shortfall | undefined>
}

/** Creates a target that records bodies, and whose answers a test controls. */
export function recordingTarget (answer: RecordingTarget['answer'] = async () => undefined): RecordingTarget {
  const bodies: EventBody[] = []
  const target: RecordingTarget = {
    bodies,
    get events () { return bodies.flatMap(({ events }) => events) },
    get eventIds () { return target.events.map(({ eventId }) => eventId) },
    full: false,
    answer,
    async deliver (body) {
      bodies.push(body)
      return target.answer(body)
    }
  }
  return target
}

/** Creates a target that fails to deliver every body. */
export function deadTarget (reason = 'no power', retryable = true): RecordingTarget {
  return recordingTarget(async body => nothingOf(body, reason, { retryable, cause: new Error(reason) }))
}

/** Returns an outcome of a delivery that is pending until a test settles it. */
export function heldAnswer (): { answer: () => Promise<Shortfall | undefined>, settle: (shortfall?: Shortfall) => void } {
  let settle: (shortfall?: Shortfall) => void = () => {}
  const settled = new Promise<Shortfall | undefined>(resolve => { settle = resolve })
  return { answer: async () => settled, settle }
}

/** Returns a body with events of these ids. By default the caller gave the ids. */
export function testBody (eventIds: readonly string[], more: Partial<EventBody> & { idGiven?: boolean } = {}): EventBody {
  const { idGiven = true, ...rest } = more
  const body = { namespace: 'shop', userId: 'u', sessionId: 's', conversions: [], broughtBy: { path: '/events/shop', headers: {}, query: {} }, ...rest }
  const { userId, sessionId } = body
  return { events: eventIds.map(eventId => ({ eventId, idGiven, userId, sessionId, eventType: 'view', itemId: 'a', sentAt: 1000 })), ...body }
}

export interface TestDispatch {
  /** Throws the error of a body that was turned away. */
  dispatch: (...args: Parameters<Dispatch>) => Promise<readonly Shortfalls[]>
  told: Dispatch
  ledger: Ledger
  stats: EventStats
}

/** Creates a dispatch with a ledger in memory. */
export function testDispatch (now: () => number = () => 0): TestDispatch {
  const stats = createEventStats()
  const ledger = createLedger({ now, onError: error => { throw error } })
  const told = createDispatch({ ledger, stats })
  const dispatch: TestDispatch['dispatch'] = async (namespace, bodies) => (await told(namespace, bodies)).map(outcome => {
    if (outcome instanceof GatewayError) throw outcome
    return outcome
  })
  return { dispatch, told, ledger, stats }
}

/** Adds a target to a namespace of a running gateway. */
export function addTarget (app: FastifyInstance, namespace: string, name: string, target: EventTarget): void {
  (app.config.plan.namespaces.get(namespace)!.eventTargets as Map<string, EventTarget>).set(name, target)
}
