import { setTimeout } from 'node:timers/promises'
import { failureWord } from '../../base/errors.ts'
import { redisOf, redisUrlOf } from '../../connections/redis.ts'
import { isRefusedForNow } from '../../connections/redis-problems.ts'
import { ownerOf } from '../body.ts'
import { nothingOf, type EventTarget, type EventTargetScope } from '../target.ts'
import { createCrowd, type Crowd } from './crowd.ts'
import { startConsumer, type Consumer, type ConsumerTimes } from './consumer.ts'
import { append, streamKeysOf } from './stream.ts'

export interface QueuedOptions extends ConsumerTimes {
  /** The number of waiting bodies at which the target is full. */
  mostWaiting?: number
  /** The number of waiting bodies of one owner at which the target is full for this owner. */
  mostOfOwner?: number
}

/** The most tries to append a body while Redis refuses it for now; the pause between tries and the wait for a connection, in ms. */
const mostTries = 5
const pause = 100
const connecting = 250

/** The turn of a target's consumers in this process. While one configuration replaces another, each has a consumer. */
interface Turn {
  /** The consumer that may take waiting bodies; if undefined, the first consumer that asks gets the turn. */
  of: object | undefined
}

/** The queue that all configurations with an equal target share in this process. */
interface Queue {
  readonly lengths: Consumer['lengths']
  readonly crowd: Crowd
  /** Gives its consumer the turn. The configuration that accepts events has to deliver, not one that is opened but never serves. */
  takeTurn: () => void
  close: () => Promise<void>
}

/**
 * Opens a target that accepts events as soon as Redis has them. Then any instance reads them from Redis and delivers them to the inner
 * target at least once. The events wait in Redis for as long as the inner target is down.
 * @param inner the target that receives the events from Redis; it is open as long as the scope
 * @throws UserError if the process has no Redis
 */
export async function openQueued (inner: EventTarget, config: object, scope: EventTargetScope, { mostWaiting = 1_000_000, mostOfOwner = 10_000, ...times }: QueuedOptions = {}): Promise<EventTarget> {
  const { namespace, target, now, onError } = scope
  const url = redisUrlOf(scope)
  const redis = await redisOf(scope)
  const keys = streamKeysOf(namespace, target)
  const name = `${namespace}/${target}`
  const turn = await scope.share<Turn>(`turn of queued events ${name}`, async () => ({ of: undefined }), () => {})
  const queue = await scope.share(`queued events ${name} ${JSON.stringify(config)}`, async () => openQueue(), async queue => queue.close(), { first: true })

  function openQueue (): Queue {
    const stats = scope.eventStats.of(namespace, target)
    const me = {}
    let closed = false
    const crowd = createCrowd(keys.waiting, mostOfOwner)
    const consumer = startConsumer({ ...times, url, keys, target: inner, crowd, stats, now, onError, mayTake: () => (turn.of ??= me) === me })
    const { lengths } = consumer
    stats.streams.add(lengths)
    return {
      lengths,
      crowd,
      takeTurn () { if (!closed) turn.of = me },
      async close () {
        closed = true
        if (turn.of === me) turn.of = undefined
        stats.streams.delete(lengths)
        await consumer.close()
      }
    }
  }

  return {
    accepted: 'queued',
    ...(inner.takesBodies === true ? { takesBodies: true } : {}),
    get full () { return queue.lengths.waiting >= mostWaiting },
    isFullFor: body => queue.crowd.has(ownerOf(body)),
    async deliver (body) {
      queue.takeTurn()
      for (let tries = 1; ; tries++) {
        try {
          // During a failover, the client reconnects.
          await redis.untilReady(connecting)
          await append(redis.commands, keys, body)
          queue.lengths.waiting++
          void queue.crowd.count(redis.commands, body)
          return undefined
        } catch (cause) {
          if (tries === mostTries || !isRefusedForNow(cause)) return nothingOf(body, 'Redis did not confirm them', { retryable: true, cause: redis.ready ? cause : new Error(`there is no connection to Redis: ${failureWord(redis.problem)}`, { cause }) })
          await setTimeout(pause)
        }
      }
    }
  }
}
