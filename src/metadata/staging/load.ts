import { fork } from 'node:child_process'
import { setPriority } from 'node:os'
import { extname } from 'node:path'
import type { ItemImport } from '../item-import.ts'
import { LockedError } from '../../base/lock.ts'
import { CatalogError } from '../catalog.ts'
import { importItems } from '../import-items.ts'
import type { LoadOutcome } from '../store-type.ts'
import type { BucketPlace, StagedObject, StagingBucket } from './bucket.ts'
import { stagedCatalog } from './catalog.ts'

/** A load of an object into a store. */
export interface LoadTask {
  to: ItemImport
  object: StagedObject
  dataDir: string
  /** File to download into, without the extension; the caller removes the file. */
  path: string
}

/**
 * Downloads an object and loads it.
 * @throws CatalogError for bad content; LockedError while another process of this machine imports; other errors of S3, the disk or the store
 */
export type Load = (task: LoadTask, signal: AbortSignal) => Promise<LoadOutcome>

/** The message with which a load in another process reports its outcome. */
export type LoadResult = { outcome: LoadOutcome } | { refused: string } | { locked: string } | { failed: string }

/** The argument that makes a process perform a load. */
export const loadArgument = 'load-staged'

/** Lowers the priority of the load below that of the serving process. */
const niceness = 5

/** Downloads an object and loads it in this process. @throws like `Load` */
export async function loadHere (bucket: StagingBucket, { to, object, dataDir, path }: LoadTask, signal: AbortSignal): Promise<LoadOutcome> {
  return importItems(to.config, stagedCatalog(object, bucket, path, signal, to.itemTables?.key), { dataDir, namespace: to.namespace, itemTables: to.itemTables })
}

/**
 * Downloads and loads an object in a process of its own, as reading and sorting a large catalog would delay requests. If the signal aborts,
 * the process is killed: an import that dies leaves the live items unchanged.
 */
export async function loadBeside (bucket: BucketPlace, task: LoadTask, signal: AbortSignal): Promise<LoadOutcome> {
  const result = await new Promise<LoadResult>((resolve, reject) => {
    const child = fork(new URL(`./process${extname(import.meta.url)}`, import.meta.url), [loadArgument], {
      signal,
      killSignal: 'SIGKILL',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      // The parent has already printed the warnings.
      execArgv: [...process.execArgv, '--no-warnings']
    })
    child.once('message', (result: LoadResult) => { resolve(result) })
    child.once('error', reject)
    child.once('exit', (code, by) => { reject(new Error(`the process that imports ended with ${by ?? code}`)) })
    child.once('spawn', () => {
      makeWay(child.pid!)
      child.send({ bucket, task }, () => {})
    })
  })
  if ('refused' in result) throw new CatalogError(result.refused)
  if ('locked' in result) throw new LockedError(result.locked)
  if ('failed' in result) throw new Error(result.failed)
  return result.outcome
}

function makeWay (pid: number): void {
  try {
    setPriority(pid, niceness)
  } catch {
    // The process has already ended, or the system has no priorities: then it runs at the normal one.
  }
}
