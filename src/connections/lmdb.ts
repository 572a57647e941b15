import { statfsSync } from 'node:fs'
import { UserError } from '../base/user-error.ts'

/** Room that is left on a disk, so that a write never meets its end: lmdb's writer does not survive that. */
const reserve = 16 * 1024 * 1024

export class DiskFullError extends UserError {
  constructor () {
    super('the disk is full')
    this.name = 'DiskFullError'
  }
}

/**
 * To be asked before each batch of writes.
 * @param bytes what is about to be written beside, if it is much
 * @throws DiskFullError where less than 16 MiB (a quarter of a small disk) would be left
 */
export function assertRoom (directory: string, bytes = 0): void {
  const { bavail, blocks, bsize } = statfsSync(directory)
  if (bavail * bsize - bytes < Math.min(reserve, blocks * bsize / 4)) throw new DiskFullError()
}

/**
 * Waits until writes are committed.
 * lmdb tells of a failed commit by the promise of each batch of writes, and once more by a promise inside that error: both are
 * looked at here.
 * @param writes what `put` and `remove` returned; those of one batch return the same promise
 * @throws Error whose cause is what the disk said
 */
export async function committed (writes: Iterable<Promise<unknown>>): Promise<void> {
  const results = await Promise.allSettled(new Set(writes))
  const failed = results.find(result => result.status === 'rejected')
  if (failed === undefined) return
  const { commitError } = failed.reason as { commitError?: Promise<unknown> }
  const cause: unknown = await commitError?.catch((error: unknown) => error) ?? failed.reason
  throw new Error('the disk did not take the data', { cause })
}
