import { hash } from 'node:crypto'
import type { RedisCommands } from '../connections/redis-client.ts'
import { createFingerprints } from './fingerprints.ts'

/** Which targets have which events, for at least as long as a caller may repeat one. */
export interface Ledger {
  /** @returns by event, the targets that are known to have it; nothing of events that none has */
  recall: (namespace: string, eventIds: readonly string[], targets: readonly string[]) => Promise<Map<string, ReadonlySet<string>>>
  /** @param targets those that there are; each event with those of them that have it */
  remember: (namespace: string, events: ReadonlyMap<string, ReadonlySet<string>>, targets: readonly string[]) => Promise<void>
}

/** How long it is remembered that a target has an event, in seconds. */
export const rememberedFor = 600

/** What the ledger needs of a connection that may be away. */
export interface RedisConnection {
  readonly up: boolean
  run: <T>(command: (redis: RedisCommands) => Promise<T>) => Promise<T>
}

/** The lists of targets of a namespace that are known, the latest ones: configurations that follow each other soon have no more. */
const mostLists = 8

/** So many events are asked for, or told of, at once: a command has its time, and others want to be served meanwhile. */
const slice = 200

export interface LedgerOptions {
  /** Epoch milliseconds. */
  now: () => number
  /** Where instances share what they remember; absent: each remembers its own. */
  redis?: RedisConnection | undefined
  /** Told what Redis did not do; the ledger goes on without. */
  onError: (error: unknown) => void
}

/** Remembers in memory, and in Redis where there is one: a repeated request may reach another instance. */
export function createLedger ({ now, redis, onError }: LedgerOptions): Ledger {
  const memory = createFingerprints({ now, keepFor: rememberedFor * 1000 })
  /** By namespace, the targets that it had when something was remembered: what all of them have is remembered for the list of them. */
  const lists = new Map<string, readonly string[]>()

  function noteList (namespace: string, list: string): void {
    const known = lists.get(namespace) ?? []
    if (known.at(-1) !== list) lists.set(namespace, [...known.filter(other => other !== list), list].slice(-mostLists))
  }

  /** @returns what Redis answers for each; for fewer where it is away, or goes */
  async function ask<T, A> (about: readonly T[], command: (redis: RedisCommands, some: readonly T[]) => Promise<A[]>): Promise<A[]> {
    const answers: A[] = []
    try {
      for (let i = 0; i < about.length && redis?.up === true; i += slice) {
        answers.push(...await redis.run(async commands => command(commands, about.slice(i, i + slice))))
      }
    } catch (error) {
      onError(error)
    }
    return answers
  }

  return {
    async recall (namespace, eventIds, targets) {
      const known = new Map<string, ReadonlySet<string>>()
      if (eventIds.length === 0) return known
      const shared = await ask(eventIds, async (commands, some) => commands.mget(some.map(eventId => keyOf(namespace, eventId))))
      const ownLists = lists.get(namespace) ?? []
      for (const [i, eventId] of eventIds.entries()) {
        const told = [shared[i] ?? '', ...ownLists.filter(list => memory.has(entryOf(namespace, list, eventId)))].flatMap(list => list.split(','))
        const having = targets.filter(target => told.includes(target) || memory.has(entryOf(namespace, target, eventId)))
        if (having.length > 0) known.set(eventId, new Set(having))
      }
      return known
    },
    async remember (namespace, events, targets) {
      const all = targets.join()
      noteList(namespace, all)
      for (const [eventId, having] of events) {
        // As a rule all have it, and it takes the room of one.
        const entries = having.size === targets.length ? [all] : having
        for (const entry of entries) memory.add(entryOf(namespace, entry, eventId))
      }
      await ask([...events], async (commands, some) => Promise.all(some.map(async ([eventId, having]) => commands.set(keyOf(namespace, eventId), [...having].join(), 'EX', rememberedFor))))
    }
  }
}

function entryOf (namespace: string, targets: string, eventId: string): string {
  return `${namespace}\n${targets}\n${eventId}`
}

function keyOf (namespace: string, eventId: string): string {
  // As JSON, since halves of characters would all be the same. What is in braces keeps a namespace's keys together in a cluster, where
  // several can be asked for at once only so.
  return `personalization:event:{${namespace}}:${hash('sha1', JSON.stringify(eventId), 'base64url')}`
}
