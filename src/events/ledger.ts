import { hash } from 'node:crypto'
import type { RedisCommands } from '../connections/redis-client.ts'
import { beginTurns } from '../base/turns.ts'
import { createFingerprints } from './fingerprints.ts'

/** A record of which targets have which events, kept at least as long as a caller may repeat an event. */
export interface Ledger {
  /**
   * @param ids the events, as `ownedId` names them
   * @returns by id, the targets that are known to have the event; no entry for an event that none has
   */
  recall: (namespace: string, ids: readonly string[], targets: readonly string[]) => Promise<Map<string, ReadonlySet<string>>>
  /** @param events by `ownedId`, the targets that have the event @param targets all targets of the namespace */
  remember: (namespace: string, events: ReadonlyMap<string, ReadonlySet<string>>, targets: readonly string[]) => Promise<void>
}

/** How long the ledger remembers that a target has an event, in seconds. */
export const rememberedFor = 600

/** The part of a Redis connection that the ledger uses. The connection may be down. */
export interface RedisConnection {
  readonly up: boolean
  run: <T>(command: (redis: RedisCommands) => Promise<T>) => Promise<T>
}

/** The most lists of targets that are kept for a namespace, the latest ones: within ten minutes, few configurations follow each other. */
const mostLists = 8

/** The most events that are read from, or written to, Redis at once: commands have a time limit, and other commands wait meanwhile. */
const slice = 200

export interface LedgerOptions {
  /** Milliseconds on a steady clock. */
  now: () => number
  /** The Redis through which instances share the ledger; absent: each instance has its own. */
  redis?: RedisConnection | undefined
  /** Receives the errors of Redis. The ledger goes on in memory. */
  onError: (error: unknown) => void
}

/** Creates a ledger in memory, and in Redis if there is one, since a repeated request may reach another instance. */
export function createLedger ({ now, redis, onError }: LedgerOptions): Ledger {
  const memory = createFingerprints({ now, keepFor: rememberedFor * 1000 })
  /** By namespace, the lists of all targets that it had. An event that all targets have is remembered once, under their list. */
  const lists = new Map<string, readonly string[]>()

  function noteList (namespace: string, list: string): void {
    const known = lists.get(namespace) ?? []
    if (known.at(-1) !== list) lists.set(namespace, [...known.filter(other => other !== list), list].slice(-mostLists))
  }

  /** Runs a command for one slice after the other. @returns the answers of Redis; fewer if it is down, or fails meanwhile */
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
    async recall (namespace, ids, targets) {
      const known = new Map<string, ReadonlySet<string>>()
      if (ids.length === 0) return known
      const shared = await ask(ids, async (commands, some) => commands.mget(some.map(id => keyOf(namespace, id))))
      const ownLists = lists.get(namespace) ?? []
      const turn = beginTurns()
      for (const [i, id] of ids.entries()) {
        if (turn.over) await turn.next()
        const told = [shared[i] ?? '', ...ownLists.filter(list => memory.has(entryOf(namespace, list, id)))].flatMap(list => list.split(','))
        const having = targets.filter(target => told.includes(target) || memory.has(entryOf(namespace, target, id)))
        if (having.length > 0) known.set(id, new Set(having))
      }
      return known
    },
    async remember (namespace, events, targets) {
      const all = targets.join()
      noteList(namespace, all)
      const turn = beginTurns()
      for (const [id, having] of events) {
        if (turn.over) await turn.next()
        // Usually all targets have the event. One entry for their list takes less memory than one entry each.
        const entries = having.size === targets.length ? [all] : having
        for (const entry of entries) memory.add(entryOf(namespace, entry, id))
      }
      await ask([...events], async (commands, some) => Promise.all(some.map(async ([id, having]) => commands.set(keyOf(namespace, id), [...having].join(), 'EX', rememberedFor))))
    }
  }
}

function entryOf (namespace: string, targets: string, id: string): string {
  return `${namespace}\n${targets}\n${id}`
}

function keyOf (namespace: string, id: string): string {
  // The id is hashed as JSON, since all halves of surrogate pairs are the same in UTF-8. The braces keep the keys of a namespace in one
  // slot of a cluster, as MGET requires.
  return `personalization:event:{${namespace}}:${hash('sha1', JSON.stringify(id), 'base64url')}`
}
