import { setTimeout } from 'node:timers/promises'
import { redisOf, redisUrlOf } from '../../connections/redis.ts'
import { isRefusedForNow } from '../../connections/redis-problems.ts'
import { nothingOf, type EventTarget, type EventTargetScope } from '../target.ts'
import { startConsumer, type Consumer, type ConsumerTimes } from './consumer.ts'
import { append, streamKeysOf } from './stream.ts'

export interface QueuedOptions extends ConsumerTimes {
  /** The number of waiting bodies at which the target is full. */
  mostWaiting?: number
}

/** The most tries to bring an event to a Redis that refuses it for now, the pause between them, and the wait for a connection, in ms. */
const mostTries = 5
const pause = 100
const connecting = 250

/** The turn of a target's consumers in this process. There are several consumers while one configuration follows another. */
interface Turn {
  /** The consumer that may take waiting bodies; undefined: the first one that asks. */
  of: object | undefined
}

/** The queue that all configurations with an equal target share. */
interface Queue {
  readonly lengths: Consumer['lengths']
  /** Makes its consumer deliver. The configuration that accepts events delivers, and not one that is opened but never serves. */
  takeTurn: () => void
  close: () => Promise<void>
}

/**
 * Opens a target whose callers are answered once Redis has the events. From there any instance delivers them to the target itself, at
 * least once, however long it is down.
 * @param inner the target itself, open for as long as the scope
 * @throws UserError if the process has no Redis
 */
export async function openQueued (inner: EventTarget, config: object, scope: EventTargetScope, { mostWaiting = 1_000_000, ...times }: QueuedOptions = {}): Promise<EventTarget> {
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
    const consumer = startConsumer({ ...times, url, keys, target: inner, stats, now, onError, mayTake: () => (turn.of ??= me) === me })
    const { lengths } = consumer
    stats.streams.add(lengths)
    return {
      lengths,
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
    get full () { return queue.lengths.waiting >= mostWaiting },
    async deliver (body) {
      queue.takeTurn()
      for (let tries = 1; ; tries++) {
        try {
          // While a failover is on its way, a connection is made anew.
          await redis.untilReady(connecting)
          await append(redis.commands, keys, body)
          queue.lengths.waiting++
          return undefined
        } catch (cause) {
          if (tries === mostTries || !isRefusedForNow(cause)) return nothingOf(body, 'Redis did not confirm them', { retryable: true, cause })
          await setTimeout(pause)
        }
      }
    }
  }
}
