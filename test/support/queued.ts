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

/** The keys of the target that these tests queue for. */
export const keys = streamKeysOf('shop', 'webhook')

/** What a gateway has of a queued target, without the rest of it. */
export interface QueuedInstance {
  target: EventTarget
  stats: TargetStats
  errors: unknown[]
  /** Opens it as another configuration of the same process does. */
  open: (inner: EventTarget, config: object) => Promise<{ target: EventTarget, release: () => void }>
  close: () => Promise<void>
}

/** Faster than a gateway, for the sake of the tests. */
const times = { watchEvery: 20, searchEvery: 50, goneAfter: 1_000, firstPause: 5, longestPause: 20 }

/** An instance that brings what is queued to a target. It ends with the test. */
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

/** Resolves when nothing waits in Redis any more. */
export async function drained (redis: Redis): Promise<void> {
  await eventually('nothing waits', async () => await redis.xlen(keys.waiting) === 0, 15_000)
}

/** That a target does not have some events, for now unless a test says otherwise. */
export function lacking (body: EventBody, eventIds: readonly string[], retryable = true): Shortfall {
  return { ...nothingOf(body, 'no power', { retryable }), eventIds }
}
