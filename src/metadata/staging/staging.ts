import { setTimeout as sleep } from 'node:timers/promises'
import type { ItemImport } from '../item-import.ts'
import { importNewest, lastImport, sweepStaging, type ImportScope, type Look } from './import.ts'

export interface StagingOptions extends Omit<ImportScope, 'signal'> {
  /** The stores to keep filled, as the configuration has them now. */
  imports: () => readonly ItemImport[]
  onLook: (to: ItemImport, look: Look, ms: number) => void
  /** Told what kept an import from being done; it is tried again after the interval. */
  onFailed: (to: ItemImport, error: unknown) => void
  /** Told what went wrong beside imports. */
  onError: (error: unknown) => void
  /** Milliseconds between two looks into the bucket, in the place of each store's own interval. */
  poll?: number | undefined
}

export interface Staging {
  /** When each store was last filled from the bucket. */
  readonly lastImports: () => Iterable<{ to: ItemImport, at: number }>
  /** Ends downloads and imports; an import that does not end within a second is left to end with the process. */
  close: () => Promise<void>
}

/** How often to look whether anything is due, in ms. */
const lookEvery = 1_000

const closeWithin = 1_000

interface Followed {
  to: ItemImport
  /** When the bucket was last looked into, in ms of the clock that never goes back. */
  lookedAt: number
  /** By how much its interval is longer or shorter, so that instances that were started together do not go on asking together. */
  jitter: number
  importedAt?: number | undefined
}

/** Keeps stores filled with what is newest in the bucket: one import after the other, never two at once in this process. */
export function followStaging ({ imports, onLook, onFailed, onError, poll, ...scope }: StagingOptions): Staging {
  const closing = new AbortController()
  const { signal } = closing
  let followed = new Map<string, Followed>()

  function isDue ({ to, lookedAt, jitter }: Followed): boolean {
    return performance.now() >= lookedAt + (poll ?? to.syncInterval * 1000) * jitter
  }

  async function look (store: Followed): Promise<void> {
    const { to } = store
    const started = performance.now()
    try {
      onLook(to, await importNewest(to, { ...scope, signal }), performance.now() - started)
    } catch (error) {
      if (!signal.aborted) onFailed(to, error)
    }
    Object.assign(store, { lookedAt: performance.now(), jitter: 0.9 + Math.random() * 0.2 })
    store.importedAt = await lastImport(scope.dataDir, to)
  }

  async function follow (): Promise<void> {
    await sweepStaging(scope.dataDir).catch(onError)
    while (!signal.aborted) {
      followed = refreshed(followed, imports())
      for (const store of followed.values()) {
        if (!signal.aborted && isDue(store)) await look(store).catch(onError)
      }
      await sleep(Math.min(lookEvery, poll ?? lookEvery), undefined, { signal, ref: false }).catch(() => {})
    }
  }

  const following = follow()
  return {
    lastImports: () => [...followed.values()].flatMap(({ to, importedAt: at }) => at === undefined ? [] : [{ to, at }]),
    async close () {
      closing.abort()
      await Promise.race([following, sleep(closeWithin, undefined, { ref: false })])
    }
  }
}

/** What is new is due at once, and what is not configured any more is forgotten. */
function refreshed (followed: ReadonlyMap<string, Followed>, imports: readonly ItemImport[]): Map<string, Followed> {
  return new Map(imports.map(to => {
    const key = `${to.namespace}/${to.config.type}`
    return [key, Object.assign(followed.get(key) ?? { lookedAt: -Infinity, jitter: 1 }, { to })]
  }))
}
