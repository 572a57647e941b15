import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ItemImport } from '../item-import.ts'
import { LockedError, withLock } from '../../base/lock.ts'
import { CatalogError } from '../catalog.ts'
import { localDbDirectory } from '../localdb/files.ts'
import type { StagingBucket } from './bucket.ts'
import type { PassedOver, StagedObject } from './choose.ts'
import type { Load } from './load.ts'
import { importedState, isKnown, recall, refusedTag, remember, type StagingMemory } from './memory.ts'

export interface ImportScope {
  bucket: StagingBucket
  load: Load
  dataDir: string
  /** Epoch milliseconds. */
  now: () => number
  /** Receives the objects under a prefix that are not imported. */
  onPassedOver?: (to: ItemImport, objects: readonly PassedOver[]) => void
  /** Time without a change after which a catalog in parts counts as whole, in ms; absent: 10 s. */
  settleAfter?: number | undefined
  signal: AbortSignal
}

/** The outcome of one check of the bucket. */
export type Look =
  /** There is no object, no new one, or another process or instance takes care of it; `waiting` for further parts. */
  | { outcome: 'idle', waiting?: Waiting }
  | { outcome: 'imported', object: StagedObject, count: number }
  /** The content is bad. The object is ignored until it changes. */
  | { outcome: 'refused', object: StagedObject, problem: string }

/** A catalog in parts of which more may follow, by its tag, and since when it has not changed, in ms of the monotonic clock. */
export interface Waiting {
  tag: string
  since: number
}

/** Time without a change after which a catalog in parts counts as whole, in ms, where nothing in the bucket tells that it is. */
const settleAfter = 10_000

const directoryPrefix = 'staging-'
const downloadName = 'download'

/** Returns the directory of a store's downloads and import state, which is beside the items of the namespace. */
function stagingDirectory (dataDir: string, { namespace, config }: ItemImport): string {
  return join(localDbDirectory(dataDir, namespace), `${directoryPrefix}${config.type}`)
}

/** Returns the time of the last import from the bucket into a store, in epoch ms; undefined before the first. */
export async function lastImport (dataDir: string, to: ItemImport): Promise<number | undefined> {
  return (await recall(stagingDirectory(dataDir, to), to)).importedAt
}

/**
 * Fills a store with the newest catalog of its namespace, unless the store already has it.
 * @param waiting what the last check waited for
 * @throws errors of S3, the network, the disk or the store, which are all worth a retry
 */
export async function importNewest (to: ItemImport, scope: ImportScope, waiting?: Waiting): Promise<Look> {
  const directory = stagingDirectory(scope.dataDir, to)
  const object = await scope.bucket.newest(`import/${to.namespace}/`, scope.signal, objects => scope.onPassedOver?.(to, objects))
  if (object === undefined || isKnown(await recall(directory, to), object, to)) return { outcome: 'idle' }
  if (object.open === true) {
    const settling = waiting?.tag === object.tag ? waiting : { tag: object.tag, since: performance.now() }
    if (performance.now() - settling.since < (scope.settleAfter ?? settleAfter)) return { outcome: 'idle', waiting: settling }
  }
  await mkdir(directory, { recursive: true })
  try {
    return await withLock(lockOf(directory), async () => {
      const memory = await recall(directory, to)
      // Another process of this machine may have imported it during the listing.
      if (isKnown(memory, object, to)) return { outcome: 'idle' }
      return importOne(to, object, memory, scope)
    })
  } catch (error) {
    if (error instanceof LockedError) return { outcome: 'idle' }
    throw error
  }
}

async function importOne (to: ItemImport, object: StagedObject, memory: StagingMemory, { load, dataDir, now, signal }: ImportScope): Promise<Look> {
  const directory = stagingDirectory(dataDir, to)
  await removeDownloads(directory)
  try {
    const loaded = await load({ to, object, dataDir, path: join(directory, downloadName) }, signal)
    if (loaded === 'busy') return { outcome: 'idle' }
    await remember(directory, to, importedState(object, now()))
    return loaded === 'loaded' ? { outcome: 'idle' } : { outcome: 'imported', object, count: loaded }
  } catch (error) {
    if (!(error instanceof CatalogError)) throw error
    await remember(directory, to, { ...memory, refused: refusedTag(object, to) })
    return { outcome: 'refused', object, problem: error.message }
  } finally {
    await removeDownloads(directory)
  }
}

/** Removes the downloads of processes that were killed. */
export async function sweepStaging (dataDir: string): Promise<void> {
  const root = join(dataDir, 'items')
  for (const namespace of await readdir(root).catch(() => [])) {
    const names = await readdir(join(root, namespace)).catch(() => [])
    for (const directory of names.filter(name => name.startsWith(directoryPrefix)).map(name => join(root, namespace, name))) {
      await withLock(lockOf(directory), async () => removeDownloads(directory)).catch((error: unknown) => {
        if (!(error instanceof LockedError)) throw error
      })
    }
  }
}

async function removeDownloads (directory: string): Promise<void> {
  const names = await readdir(directory)
  await Promise.all(names.filter(name => name.startsWith(downloadName)).map(async name => rm(join(directory, name), { force: true })))
}

function lockOf (directory: string): string {
  return join(directory, 'LOCK')
}
