import { setTimeout as sleep } from 'node:timers/promises'
import type { ItemImport } from '../item-import.ts'
import { importNewest, lastImport, sweepStaging, type ImportScope, type Look, type Waiting } from './import.ts'

export interface StagingOptions extends Omit<ImportScope, 'signal'> {
  /** Returns the stores to fill, according to the current configuration. */
  imports: () => readonly ItemImport[]
  onLook: (to: ItemImport, look: Look, ms: number) => void
  /** Receives the error of a failed import. The gateway retries after the interval. */
  onFailed: (to: ItemImport, error: unknown) => void
  /** Receives errors other than those of imports. */
  onError: (error: unknown) => void
  /** Milliseconds between two checks of the bucket. Replaces each store's own interval. */
  poll?: number | undefined
}

export interface Staging {
  /** Returns the time of each store's last import from the bucket, in epoch ms. */
  readonly lastImports: () => Iterable<{ to: ItemImport, at: number }>
  /** Aborts downloads and imports. Stops waiting after a second; an import that is still running ends with the process. */
  close: () => Promise<void>
}

/** Interval of checks whether a store is due, in ms. */
const lookEvery = 1_000

const closeWithin = 1_000

/** The longest interval of checks while a catalog in parts may not be whole yet, in ms. */
const waitingPoll = 5_000

interface Followed {
  to: ItemImport
  /** Time of the last check of the bucket, in ms of the monotonic clock. */
  lookedAt: number
  /** Factor on the interval, so that instances that started together do not stay in step. */
  jitter: number
  importedAt?: number | undefined
  /** The catalog in parts that may not be whole yet. */
  waiting?: Waiting | undefined
}

/** Keeps stores filled with the newest catalogs of the bucket. Imports run one after the other, never two at once in this process. */
export function followStaging ({ imports, onLook, onFailed, onError, poll, ...scope }: StagingOptions): Staging {
  const closing = new AbortController()
  const { signal } = closing
  let followed = new Map<string, Followed>()

  function isDue ({ to, lookedAt, jitter, waiting }: Followed): boolean {
    const interval = poll ?? to.syncInterval * 1000
    return performance.now() >= lookedAt + (waiting === undefined ? interval : Math.min(interval, waitingPoll)) * jitter
  }

  async function look (store: Followed): Promise<void> {
    const { to } = store
    const started = performance.now()
    try {
      const looked = await importNewest(to, { ...scope, signal }, store.waiting)
      store.waiting = looked.outcome === 'idle' ? looked.waiting : undefined
      onLook(to, looked, performance.now() - started)
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

/** Returns the stores to follow: new ones are due at once, and those that are no longer configured are dropped. */
function refreshed (followed: ReadonlyMap<string, Followed>, imports: readonly ItemImport[]): Map<string, Followed> {
  return new Map(imports.map(to => {
    const key = `${to.namespace}/${to.config.type}`
    return [key, Object.assign(followed.get(key) ?? { lookedAt: -Infinity, jitter: 1 }, { to })]
  }))
}
