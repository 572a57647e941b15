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

/** An object to be loaded into a store. */
export interface LoadTask {
  to: ItemImport
  object: StagedObject
  dataDir: string
  /** Where to download it, without the extension; who gives the task removes it. */
  path: string
}

/**
 * Fetches an object and loads it.
 * @throws CatalogError for bad content; LockedError while another process of this machine imports; what else kept it from it
 */
export type Load = (task: LoadTask, signal: AbortSignal) => Promise<LoadOutcome>

/** How a load in another process ended, as it is told. */
export type LoadResult = { outcome: LoadOutcome } | { refused: string } | { locked: string } | { failed: string }

/** The argument that tells a process to load. */
export const loadArgument = 'load-staged'

/** A process that serves goes first. */
const niceness = 5

export async function loadHere (bucket: StagingBucket, { to, object, dataDir, path }: LoadTask, signal: AbortSignal): Promise<LoadOutcome> {
  return importItems(to.config, stagedCatalog(object, bucket, path, signal), { dataDir, namespace: to.namespace })
}

/**
 * The same in a process of its own, since reading and sorting a large catalog would hold up requests. Where it is to end early it is
 * killed: an import that dies leaves the live items as they are.
 */
export async function loadBeside (bucket: BucketPlace, task: LoadTask, signal: AbortSignal): Promise<LoadOutcome> {
  const result = await new Promise<LoadResult>((resolve, reject) => {
    const child = fork(new URL(`./process${extname(import.meta.url)}`, import.meta.url), [loadArgument], {
      signal,
      killSignal: 'SIGKILL',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      // This process has told them.
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
    // It has ended already, or this system knows no priorities: then it runs as it is.
  }
}
