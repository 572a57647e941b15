import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { openRedis } from '../../connections/redis-client.ts'
import { isDenied } from '../../connections/redis-problems.ts'
import type { EventBody } from '../body.ts'
import type { TargetStats } from '../stats.ts'
import type { EventTarget } from '../target.ts'
import { createCarrier, type CarrierOptions } from './carrier.ts'
import { createOutbox } from './outbox.ts'
import { acknowledge, giveUp, goneConsumers, lengthsOf, makeGroup, mayDelete, readNew, showUp, takeOver, type Entry, type Letter, type StreamKeys } from './stream.ts'

export interface ConsumerTimes extends Pick<CarrierOptions, 'mostTries' | 'firstPause' | 'longestPause'> {
  /** How often lengths are looked at, in ms. */
  watchEvery?: number
  /** How often is looked for consumers that are gone, in ms. */
  searchEvery?: number
  /** A consumer that has not shown up for so long is gone, in ms. */
  goneAfter?: number
}

export interface ConsumerOptions extends ConsumerTimes {
  url: string
  keys: StreamKeys
  target: EventTarget
  stats: TargetStats
  /** Epoch milliseconds. */
  now: () => number
  /** Whether it is this one's turn to take what waits. */
  mayTake: () => boolean
  onError: (error: unknown) => void
}

/** Brings what waits in Redis for a target there, beside those of other processes. */
export interface Consumer {
  /** What waits in Redis and what was given up, in bodies, when it was looked at last. Who adds some may say so. */
  readonly lengths: { waiting: number, deadLetters: number }
  /** Takes nothing more, lets end for a while what is under way, and leaves the rest to others. */
  close: () => Promise<void>
}

/** In hand at once, read and not acknowledged; no more is read from here on. */
const most = { bodies: 1_000, bytes: 32 * 1024 * 1024 }

/** A body has about so much at the most, in bytes: what may be sent at once, and what its request says of itself. */
const largestBody = 1024 * 1024

/** Of one read, and how long it waits for something to come, in ms: so long can closing take without need. */
const read = { count: 32, block: 250 }

/** What a command may take, in ms. */
const commandTimeout = 2_000

/** Before looking again whether there is room, and after something went wrong, in ms. */
const pauses = { full: 10, trouble: 200 }

/** What is under way when it closes has this long to end, in ms; and acknowledging it as long again. */
const closeWithin = 1_000

/** Of what goes wrong again and again, so much is told: once in this time, in ms. */
const tellEvery = 10_000

export function startConsumer (options: ConsumerOptions): Consumer {
  const { url, keys, target, stats, now, mayTake, watchEvery = 1_000, searchEvery = 5_000, goneAfter = 30_000 } = options
  const name = randomUUID()
  // One that waits for something to come can do nothing else meanwhile.
  const reader = openRedis(url, { commandTimeout: read.block + commandTimeout, onProblem: options.onError })
  const redis = openRedis(url, { commandTimeout, onProblem: options.onError })
  const closing = new AbortController()
  const closed = new AbortController()
  const lengths = { waiting: 0, deadLetters: 0 }
  /** What is in hand, and its size. */
  const held = new Map<string, number>()
  const tell = atMost(tellEvery, options.onError)
  // A missing permission was told when Redis refused the command.
  const onError = (error: unknown): void => { if (!isDenied(error)) tell(error) }
  let heldBytes = 0
  let hasGroup = false
  /** Whether Redis was there for a while, so that others have shown up who can. */
  let steady = false

  const onSent = (sent: ReadonlyArray<{ id: string }>): void => {
    for (const { id } of sent) {
      heldBytes -= held.get(id) ?? 0
      held.delete(id)
    }
  }
  const delivered = createOutbox<{ id: string }>({ send: async sent => acknowledge(redis.commands, keys, sent.map(({ id }) => id)), onSent, onError, signal: closed.signal })
  const letters = createOutbox<Letter>({ send: async sent => { await Promise.all(sent.map(async letter => giveUp(redis.commands, keys, letter))) }, onSent, onError, signal: closed.signal })
  const carrier = createCarrier({
    ...options,
    onDelivered (id) { delivered.add({ id }) },
    onGivenUp ({ id, body, reason, tries, cause }) { bury({ id, text: JSON.stringify(body), reason, tries }, body.events.length, cause) }
  })

  function bury (letter: Omit<Letter, 'time'>, events: number, cause?: unknown): void {
    stats.deadLettered += events
    onError(new Error(`events were given up and are in "${keys.dead}": ${letter.reason}`, { cause }))
    letters.add({ ...letter, time: now() })
  }

  /** In bodies, as if all were as large as can be. */
  const room = (): number => target.full === true ? 0 : Math.max(0, Math.min(most.bodies - held.size, Math.ceil((most.bytes - heldBytes) / largestBody)))

  /** @returns how many events are in it */
  function take ({ id, text }: Entry): number {
    if (held.has(id)) return 0
    held.set(id, text.length)
    heldBytes += text.length
    const body = parse(text)
    if (body === undefined) bury({ id, text, reason: 'it cannot be read', tries: 0 }, 1)
    else carrier.add({ id, body })
    return body?.events.length ?? 1
  }

  async function begin (): Promise<void> {
    await makeGroup(reader.commands, keys)
    hasGroup = true
    if (await mayDelete(reader.commands)) options.onError(new Error('Redis deletes events that wait when its memory is full; its maxmemory-policy has to be noeviction or one of volatile-…'))
  }

  async function takeNew (): Promise<void> {
    const count = reader.ready && mayTake() ? Math.min(read.count, room()) : 0
    if (count === 0) return wait(pauses.full)
    if (!hasGroup) await begin()
    for (const entry of await readNew(reader.commands, keys, name, { count, block: read.block })) take(entry)
  }

  /** Takes what those have who are gone; and of its own what it does not know of, since an answer of Redis was lost. */
  async function search (): Promise<void> {
    const others = steady
    steady = false
    if (!hasGroup || !redis.ready) return
    if (others && mayTake()) {
      for (const from of await goneConsumers(redis.commands, keys, name, goneAfter)) await takeAllFrom(from)
      // Those that it knows may be before those that it does not.
      await takeFrom(name, most.bodies + read.count)
    }
    steady = true
  }

  /** As much at a time as there is room for, while there is any: what somebody had must not wait for many searches. */
  async function takeAllFrom (gone: string): Promise<void> {
    let events: number
    do stats.redelivered += events = await takeFrom(gone, room())
    while (events > 0 && !closing.signal.aborted)
  }

  /** @returns how many events are in what it took */
  async function takeFrom (from: string, count: number): Promise<number> {
    if (count === 0) return 0
    const entries = await takeOver(redis.commands, keys, { from, to: name, idle: goneAfter, count, wanted: id => !held.has(id) })
    return entries.reduce((sum, entry) => sum + take(entry), 0)
  }

  async function watch (): Promise<void> {
    if (!redis.ready) return
    if (hasGroup) await showUp(redis.commands, keys, name)
    Object.assign(lengths, await lengthsOf(redis.commands, keys))
  }

  const wait = async (ms: number): Promise<void> => setTimeout(ms, undefined, { signal: closing.signal }).catch(() => {})

  /** Does something again and again until it closes. */
  async function loop (action: () => Promise<void>, pause: number): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        await action()
        if (pause > 0) await wait(pause)
      } catch (error) {
        // A Redis that has lost what it knew has lost the group, too.
        hasGroup = false
        if (!closing.signal.aborted) onError(error)
        await wait(pauses.trouble)
      }
    }
  }

  const loops = Promise.all([loop(takeNew, 0), loop(watch, watchEvery), loop(search, searchEvery)])

  return {
    lengths,
    async close () {
      closing.abort()
      await within(closeWithin, loops.then(async () => carrier.finish()))
      carrier.stop()
      await within(closeWithin, Promise.all([delivered.emptied(), letters.emptied()]))
      closed.abort()
      for (const client of [reader, redis]) client.close()
    }
  }
}

/** What was put there by something else than a gateway is no body. */
function parse (text: string): EventBody | undefined {
  try {
    const body = JSON.parse(text) as EventBody
    return Array.isArray(body.events) && Array.isArray(body.conversions) && typeof (body.userId ?? body.sessionId) === 'string' ? body : undefined
  } catch {
    return undefined
  }
}

async function within (ms: number, done: Promise<unknown>): Promise<void> {
  const over = new AbortController()
  await Promise.race([done, setTimeout(ms, undefined, { signal: over.signal }).catch(() => {})])
  over.abort()
}

function atMost (every: number, tell: (error: unknown) => void): (error: unknown) => void {
  let last = -Infinity
  return error => {
    if (performance.now() - last < every) return
    last = performance.now()
    tell(error)
  }
}
