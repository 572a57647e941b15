import { shortfallOf } from '../delivery/shortfall.ts'
import { ownerOf } from './body.ts'
import type { EventSink } from './event-sink.ts'
import type { EventTarget, EventTargetScope } from './target.ts'

/**
 * Opens a target over its protocol, with a queue in front of it. All configurations with an equal target share the queue, so that
 * waiting events are not lost when another configuration takes over.
 */
export async function openBatched<T> (scope: EventTargetScope, config: object, sink: EventSink<T>): Promise<EventTarget> {
  const stats = scope.eventStats.of(scope.namespace, scope.target)
  const { createDeliveryQueue } = await import('../delivery/queue.ts')
  const queue = await scope.share(`event target ${scope.namespace}/${scope.target} ${JSON.stringify(config)}`, async () => {
    const opened = createDeliveryQueue(sink, { onRetry (count) { stats.retried += count } })
    stats.queues.add(opened)
    return opened
  }, async queue => {
    await queue.drain()
    stats.queues.delete(queue)
  }, { first: true })
  const holdersOf = sink.holdersOf ?? (body => [ownerOf(body)])
  return {
    get full () { return queue.full },
    ...(sink.takesBodies === true ? { takesBodies: true } : {}),
    ...(sink.takesImpressions === true ? { takesImpressions: true } : {}),
    isFullFor: body => holdersOf(body).some(queue.isUsedUp),
    async deliver (body) {
      const holders = holdersOf(body)
      const parcels = sink.split(body).map(parcel => ({ ...parcel, holders }))
      const refusals = await queue.deliver(parcels)
      const shortfall = shortfallOf(refusals)
      return shortfall && { ...shortfall, eventIds: parcels.flatMap(({ eventIds }, i) => refusals[i] === undefined ? [] : eventIds) }
    }
  }
}
