import type { Redis } from 'ioredis'
import type { Test } from 'tap'
import { openQueued, type QueuedOptions } from '../../src/targets/queued/queued.ts'
import { streamKeysOf } from '../../src/targets/queued/stream.ts'
import type { TargetStats } from '../../src/targets/stats.ts'
import { nothingOf, type EventTarget, type Shortfall } from '../../src/targets/target.ts'
import type { EventBody } from '../../src/targets/body.ts'
import { createHolder } from '../../src/connections/scope.ts'
import { eventually } from './eventually.ts'
import { testResources } from './test-resources.ts'

/** The keys of the queued target in these tests. */
export const keys = streamKeysOf('shop', 'webhook')

/** A queued target as in a gateway, without the rest of the gateway. */
export interface QueuedInstance {
  target: EventTarget
  stats: TargetStats
  errors: unknown[]
  /** Opens the target as another configuration of the same process does. */
  open: (inner: EventTarget, config: object) => Promise<{ target: EventTarget, release: () => void }>
  close: () => Promise<void>
}

/** Shorter intervals than in a gateway, so that tests are fast. */
const times = { watchEvery: 20, searchEvery: 50, goneAfter: 1_000, firstPause: 5, longestPause: 20 }

/** Starts an instance that delivers queued events to a target. It ends with the test. */
export async function startQueued (t: Test, redisUrl: string, inner: EventTarget, more: QueuedOptions = {}): Promise<QueuedInstance> {
  const errors: unknown[] = []
  const { close, ...resources } = testResources(t.testdir(), { onError: error => { errors.push(error) } })
  t.teardown(close)
  const open: QueuedInstance['open'] = async (inner, config) => {
    const { scopeOf, release } = createHolder({ ...resources, redisUrl })
    return { target: await openQueued(inner, config, { ...scopeOf('shop'), target: 'webhook' }, { ...times, ...more }), release }
  }
  const { target } = await open(inner, { type: 'webhook' })
  return { target, stats: resources.eventStats.of('shop', 'webhook'), errors, open, close }
}

/** Resolves when no event is queued in Redis any more. */
export async function drained (redis: Redis): Promise<void> {
  await eventually('nothing waits', async () => await redis.xlen(keys.waiting) === 0, 15_000)
}

/** Returns a shortfall of some events of a body; retryable by default. */
export function lacking (body: EventBody, eventIds: readonly string[], retryable = true): Shortfall {
  return { ...nothingOf(body, 'no power', { retryable }), eventIds }
}
