import { Redis } from 'ioredis'
import type { RedisCommands } from '../../connections/redis-client.ts'
import type { EventBody } from '../body.ts'

/** The keys of a queued target's two streams: the waiting bodies, and the dead letters. */
export interface StreamKeys {
  readonly waiting: string
  readonly dead: string
}

/** A waiting body. */
export interface Entry {
  readonly id: string
  /** JSON of the body. */
  readonly text: string
}

/** A dead letter: a body that a consumer gave up, as Redis stores it. */
export interface Letter {
  /** The id of the entry in the stream of waiting bodies. */
  readonly id: string
  /** JSON of the part of the body that the target does not have. */
  readonly text: string
  readonly reason: string
  readonly tries: number
  /** The time at which a consumer gave it up, in epoch milliseconds. */
  readonly time: number
}

/** The consumer group that all delivering instances share. */
const group = 'gateway'

/** The number of dead letters that Redis keeps at least, the latest ones. */
const mostLetters = 100_000

/** An id that comes after the id of every possible entry. */
const behindAll = '18446744073709551615-0'

/** Returns the keys of a target's streams. The braces keep both in one slot of a cluster. */
export function streamKeysOf (namespace: string, target: string): StreamKeys {
  const waiting = `personalization:events:{${namespace}/${target}}`
  return { waiting, dead: `${waiting}:dead` }
}

export async function append (redis: RedisCommands, { waiting }: StreamKeys, body: EventBody): Promise<void> {
  await redis.xadd(waiting, '*', 'body', JSON.stringify(body))
}

/** Creates the consumer group unless it exists. The group begins with the oldest entry, also if Redis has lost an earlier group. */
export async function makeGroup (redis: RedisCommands, { waiting }: StreamKeys): Promise<void> {
  try {
    await redis.xgroup('CREATE', waiting, group, '0', 'MKSTREAM')
  } catch (error) {
    if (!String(error).includes('BUSYGROUP')) throw error
  }
}

/**
 * Returns the next entries that no consumer has read, in order. If there are none, it waits for some.
 * @param block the longest wait, in ms
 */
export async function readNew (redis: RedisCommands, { waiting }: StreamKeys, consumer: string, { count, block }: { count: number, block: number }): Promise<Entry[]> {
  const streams = await redis.xreadgroup('GROUP', group, consumer, 'COUNT', count, 'BLOCK', block, 'STREAMS', waiting, '>')
  return streams?.flatMap(([, entries]) => entriesOf(entries)) ?? []
}

/** Shows other consumers that a consumer is alive, even if it reads no entries. */
export async function showUp (redis: RedisCommands, { waiting }: StreamKeys, consumer: string): Promise<void> {
  await redis.xreadgroup('GROUP', group, consumer, 'COUNT', 1, 'STREAMS', waiting, behindAll)
}

/** Removes consumers in a script, which runs as one step: a consumer that comes back and reads entries meanwhile must not be removed. */
const sortOutGone = `
  local gone = {}
  for _, fields in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
    local consumer = {}
    for i = 1, #fields, 2 do consumer[fields[i]] = fields[i + 1] end
    if consumer.name ~= ARGV[2] and consumer.idle >= tonumber(ARGV[3]) then
      if consumer.pending == 0 then
        redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], consumer.name)
      else
        gone[#gone + 1] = consumer.name
      end
    end
  end
  return gone`

/**
 * Removes the other consumers that have given no sign of life for a time and hold no entries.
 * @param idle that time, in ms
 * @returns the other consumers that have given no sign of life for that time, but hold entries
 */
export async function goneConsumers (redis: RedisCommands, { waiting }: StreamKeys, consumer: string, idle: number): Promise<string[]> {
  return await redis.eval(sortOutGone, 1, waiting, group, consumer, idle) as string[]
}

/**
 * Takes over entries that another consumer, or this one, has held for a time, and returns them. Only one consumer can take over an entry.
 * @param idle that time, in ms
 * @param wanted returns whether to take over an entry
 */
export async function takeOver (redis: RedisCommands, { waiting }: StreamKeys, { from, to, idle, count, wanted }: { from: string, to: string, idle: number, count: number, wanted: (id: string) => boolean }): Promise<Entry[]> {
  const pending = await redis.xpending(waiting, group, 'IDLE', idle, '-', '+', count, from) as Array<[string, ...unknown[]]>
  const ids = pending.map(([id]) => id).filter(wanted)
  if (ids.length === 0) return []
  return entriesOf(await redis.call('xclaim', waiting, group, to, idle, ...ids) as Array<RawEntry | null>)
}

/** Acknowledges and deletes the entries that the target has received. */
export async function acknowledge (redis: RedisCommands, { waiting }: StreamKeys, ids: readonly string[]): Promise<void> {
  const results = await redis.multi().xack(waiting, group, ...ids).xdel(waiting, ...ids).exec()
  for (const [error] of results ?? []) if (error !== null) throw error
}

/** Moves an entry. It deletes the waiting entry last, as Redis does not undo a script that fails. A second run does nothing. */
const moveToDead = `
  if #redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[2], ARGV[2], 1) == 0 then return 0 end
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], '*', 'body', ARGV[4], 'reason', ARGV[5], 'tries', ARGV[6], 'time', ARGV[7])
  redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
  return redis.call('XDEL', KEYS[1], ARGV[2])`

export async function giveUp (redis: RedisCommands, { waiting, dead }: StreamKeys, { id, text, reason, tries, time }: Letter): Promise<void> {
  await redis.eval(moveToDead, 2, waiting, dead, group, id, mostLetters, text, reason, tries, time)
}

/** Returns whether Redis, or a node of its cluster, evicts waiting entries when its memory is full. A server that does not tell counts as no. */
export async function mayDelete (redis: RedisCommands): Promise<boolean> {
  const servers = redis instanceof Redis ? [redis] : redis.nodes('master')
  const memories = await Promise.all(servers.map(async server => server.info('memory').catch(() => '')))
  return memories.some(memory => /^maxmemory_policy:allkeys-/m.test(memory) && !/^maxmemory:0\s*$/m.test(memory))
}

export async function lengthsOf (redis: RedisCommands, { waiting, dead }: StreamKeys): Promise<{ waiting: number, deadLetters: number }> {
  const [bodies, letters] = await Promise.all([redis.xlen(waiting), redis.xlen(dead)])
  return { waiting: bodies, deadLetters: letters }
}

type RawEntry = [id: string, fields: string[] | null]

/** Returns the entries that still exist: deleted ones have no fields. */
function entriesOf (raw: ReadonlyArray<RawEntry | null>): Entry[] {
  return raw.flatMap(entry => entry?.[1] == null ? [] : [{ id: entry[0], text: entry[1][1] ?? '' }])
}
