import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { openRedis } from '../../connections/redis-client.ts'
import { isDenied } from '../../connections/redis-problems.ts'
import { ownerOf, type EventBody } from '../body.ts'
import type { TargetStats } from '../stats.ts'
import type { EventTarget } from '../target.ts'
import { createCarrier, type CarrierOptions } from './carrier.ts'
import type { Crowd } from './crowd.ts'
import { createOutbox } from './outbox.ts'
import { acknowledge, giveUp, goneConsumers, lengthsOf, makeGroup, mayDelete, readNew, showUp, takeOver, type Entry, type Letter, type StreamKeys } from './stream.ts'

export interface ConsumerTimes extends Pick<CarrierOptions, 'mostTries' | 'firstPause' | 'longestPause'> {
  /** The interval at which the consumer shows the others that it is alive and reads the lengths of the streams, in ms. */
  watchEvery?: number
  /** The interval at which the consumer looks for consumers that are gone, in ms. */
  searchEvery?: number
  /** A consumer that has given no sign of life for this time counts as gone, in ms. */
  goneAfter?: number
}

export interface ConsumerOptions extends ConsumerTimes {
  url: string
  keys: StreamKeys
  target: EventTarget
  /** The counts of waiting bodies by owner, which the consumer lowers. */
  crowd: Crowd
  stats: TargetStats
  /** Epoch milliseconds. */
  now: () => number
  /** Returns whether this consumer may take waiting bodies now. */
  mayTake: () => boolean
  onError: (error: unknown) => void
}

/** A consumer of the bodies that wait in Redis for a target. It shares the work with the consumers of other processes. */
export interface Consumer {
  /** The numbers of waiting bodies and dead letters in Redis, as last read. A caller that adds bodies to Redis may increase them. */
  readonly lengths: { waiting: number, deadLetters: number }
  /** Stops taking bodies, gives the deliveries under way a limited time to end, and leaves the rest to other consumers. */
  close: () => Promise<void>
}

/** The most bodies, and bytes, that the consumer holds: read and not acknowledged. At these limits it stops reading. */
const most = { bodies: 1_000, bytes: 32 * 1024 * 1024 }

/** The approximate size of the largest body, in bytes: the largest request body and the path and headers of the request. */
const largestBody = 1024 * 1024

/** The most entries of one read, and its longest wait for an entry, in ms. `close` may have to wait that long, too. */
const read = { count: 32, block: 250 }

/** The timeout of a command, in ms. */
const commandTimeout = 2_000

/** The pauses before the consumer looks for room again (`full`) and after an error (`trouble`), in ms. */
const pauses = { full: 10, trouble: 200 }

/** The time that `close` waits for deliveries under way, in ms. It waits as long again for their acknowledgements. */
const closeWithin = 1_000

/** The shortest interval between two reports of errors, in ms. */
const tellEvery = 10_000

export function startConsumer (options: ConsumerOptions): Consumer {
  const { url, keys, target, crowd, stats, now, mayTake, watchEvery = 1_000, searchEvery = 5_000, goneAfter = 30_000 } = options
  const name = randomUUID()
  // A connection that waits for entries cannot run other commands meanwhile.
  const reader = openRedis(url, { commandTimeout: read.block + commandTimeout, onProblem: options.onError })
  const redis = openRedis(url, { commandTimeout, onProblem: options.onError })
  const closing = new AbortController()
  const closed = new AbortController()
  const lengths = { waiting: 0, deadLetters: 0 }
  /** The entries that the consumer holds, by id. */
  const held = new Map<string, { size: number, owner: string | undefined }>()
  const tell = atMost(tellEvery, options.onError)
  // The client has already reported a missing permission.
  const onError = (error: unknown): void => { if (!isDenied(error)) tell(error) }
  let heldBytes = 0
  let hasGroup = false
  /** Whether Redis was up at the last search, so that every living consumer has been able to give a sign of life. */
  let steady = false

  const onSent = (sent: ReadonlyArray<{ id: string }>): void => {
    const owners = sent.map(({ id }) => held.get(id)?.owner).filter(owner => owner !== undefined)
    for (const { id } of sent) {
      heldBytes -= held.get(id)?.size ?? 0
      held.delete(id)
    }
    void crowd.discount(redis.commands, owners)
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

  /** Returns how many more bodies the consumer can hold, if all of them are as large as possible. */
  const room = (): number => target.full === true ? 0 : Math.max(0, Math.min(most.bodies - held.size, Math.ceil((most.bytes - heldBytes) / largestBody)))

  /** Starts the delivery of an entry, unless the consumer holds it already. @returns the number of its events */
  function take ({ id, text }: Entry): number {
    if (held.has(id)) return 0
    const body = parse(text)
    held.set(id, { size: text.length, owner: body && ownerOf(body) })
    heldBytes += text.length
    if (body === undefined) bury({ id, text, reason: 'it cannot be read', tries: 0 }, 1)
    else carrier.add({ id, body })
    return Math.max(1, body?.events.length ?? 1)
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

  /** Takes over the entries of consumers that are gone, and its own unknown entries, which it has if an answer of Redis was lost. */
  async function search (): Promise<void> {
    const others = steady
    steady = false
    if (!hasGroup || !redis.ready) return
    if (others && mayTake()) {
      for (const from of await goneConsumers(redis.commands, keys, name, goneAfter)) await takeAllFrom(from)
      // The list of its own entries may begin with the known ones, so the limit is higher than their number.
      await takeFrom(name, most.bodies + read.count)
    }
    steady = true
  }

  /** Takes over all entries of a consumer for which there is room. One batch at each search would take too long. */
  async function takeAllFrom (gone: string): Promise<void> {
    let events: number
    do stats.redelivered += events = await takeFrom(gone, room())
    while (events > 0 && !closing.signal.aborted)
  }

  /** Takes over up to `count` entries of a consumer. @returns the number of their events */
  async function takeFrom (from: string, count: number): Promise<number> {
    if (count === 0) return 0
    const entries = await takeOver(redis.commands, keys, { from, to: name, idle: goneAfter, count, wanted: id => !held.has(id) })
    return entries.reduce((sum, entry) => sum + take(entry), 0)
  }

  async function watch (): Promise<void> {
    if (!redis.ready) return
    if (hasGroup) await showUp(redis.commands, keys, name)
    Object.assign(lengths, await lengthsOf(redis.commands, keys))
    await crowd.refresh(redis.commands)
  }

  const wait = async (ms: number): Promise<void> => setTimeout(ms, undefined, { signal: closing.signal }).catch(() => {})

  /** Repeats an action until the consumer closes. */
  async function loop (action: () => Promise<void>, pause: number): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        await action()
        if (pause > 0) await wait(pause)
      } catch (error) {
        // If Redis lost its data, it lost the group as well.
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

/** Returns the body of an entry, or undefined if no gateway wrote the entry. */
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
