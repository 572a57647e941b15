import type { Database } from 'lmdb'
import { beginTurns } from '../../base/turns.ts'
import { assertRoom, committed } from '../../connections/lmdb.ts'
import { noPeers, type Peers } from '../../connections/peers.ts'
import { isItemId, type Item } from '../catalog.ts'
import type { ItemMetadataStore } from '../store.ts'
import { generations, revisionOf } from './generations.ts'
import { openItems } from './items.ts'
import { replaceItems } from './load.ts'

/** Interval of checks for a newly imported generation, in ms. */
const importPoll = 1_000

/** The most attempts of a put. It starts again if an import replaced the items meanwhile. */
const mostSwaps = 3

/** The number of items that are looked up in a row. */
const atOnce = 16

export interface LocalDb extends ItemMetadataStore {
  /**
   * Adds items, or replaces those with the same ids, until the next import. If the store is empty, it imports these items.
   * Resolves when the items are on the disk and the other workers of this machine find them.
   * @throws LockedError during the first import; DiskFullError
   */
  put: (items: readonly Item[]) => Promise<void>
}

export interface LocalDbOptions {
  onError: (error: unknown) => void
  /** Receives the revision of the items that the store now serves. */
  onRevision?: (revision: string) => void
  /** The processes that have the same items open. They announce each put to the others on the topic. */
  peers?: Peers
  topic?: string
  poll?: number
}

/** Opens the current generation of a namespace's items, if there is one, and switches to a new one after each import. */
export async function openLocalDb (directory: string, { onError, onRevision = () => {}, peers = noPeers, topic = 'items', poll = importPoll }: LocalDbOptions): Promise<LocalDb> {
  const versions = generations(directory)
  let path: string | undefined
  let items: Database<string, string> | undefined
  let writable = false

  async function follow (): Promise<void> {
    const current = await versions.current()
    if (current === path) return
    const retired = items
    // If `openItems` throws, the old generation stays open, and the next poll tries again.
    items = current === undefined ? undefined : openItems(current)
    path = current
    writable = false
    onRevision(current === undefined ? '' : revisionOf(current))
    await retired?.close()
  }

  /**
   * Opens the current generation for writing. LMDB allows a process to open a file only once, so the read-only database is closed first.
   * Close and open run in one turn of the event loop, while no write is under way: no reader finds the database closed.
   */
  function openForWriting (current: string): Database<string, string> {
    if (items !== undefined && writable) return items
    items?.close().catch(onError)
    items = undefined
    try {
      items = openItems(current, { writable: true })
      writable = true
      return items
    } finally {
      items ??= openItems(current)
    }
  }

  async function put (changed: readonly Item[]): Promise<void> {
    for (let tries = 0; tries < mostSwaps; tries++) {
      await follow()
      if (path === undefined) {
        await replaceItems(directory, { name: 'what was put', async * items () { yield [...changed] } })
        return follow()
      }
      assertRoom(path)
      const database = openForWriting(path)
      await committed(changed.map(({ itemId, metadata }) => database.put(itemId, metadata)))
      await database.flushed
      // An import may have taken over meanwhile.
      if (await versions.current() === path) return
    }
    throw new Error('imports replace the items faster than one can be put')
  }

  let following: Promise<void> = Promise.resolve()
  // Tasks run one after the other, so that none closes a database during a write.
  async function inTurn (task: () => Promise<void>): Promise<void> {
    const done = following.then(task)
    following = done.catch(() => {})
    return done
  }

  /** Makes the puts of another process visible here. It waits for a put of this process only if there is a new generation. */
  async function lookAgain (): Promise<void> {
    if (await versions.current() !== path) await inTurn(follow)
    // Lookups of one turn of the event loop share a snapshot, which may be older than the put.
    items?.resetReadTxn()
  }

  function lookUp (itemIds: readonly string[], found: Map<string, string>): Map<string, string> {
    for (const itemId of itemIds) {
      // An id that no catalog may hold can be an invalid key for LMDB, such as a text that is too long.
      const metadata = isItemId(itemId) ? items?.get(itemId) : undefined
      if (metadata !== undefined) found.set(itemId, metadata)
    }
    return found
  }

  async function getInSlices (itemIds: readonly string[]): Promise<Map<string, string>> {
    const found = new Map<string, string>()
    const turn = beginTurns()
    for (let i = 0; i < itemIds.length; i += atOnce) {
      if (turn.over) await turn.next()
      lookUp(itemIds.slice(i, i + atOnce), found)
    }
    return found
  }

  await versions.sweep()
  // Listen before opening the items, so that this process misses no put.
  const stopListening = peers.on(topic, lookAgain)
  await inTurn(follow).catch(onError)
  const timer = setInterval(() => { inTurn(follow).catch(onError) }, poll).unref()

  return {
    local: true,
    get: itemIds => itemIds.length > atOnce ? getInSlices(itemIds) : lookUp(itemIds, new Map()),
    async put (changed) {
      await inTurn(async () => put(changed))
      // Tell the peers after the turn: otherwise, two workers that put at the same time would wait for each other.
      await peers.tell(topic, null)
    },
    async close () {
      stopListening()
      clearInterval(timer)
      await inTurn(async () => {
        const last = items
        items = undefined
        await last?.close()
      })
    }
  }
}
