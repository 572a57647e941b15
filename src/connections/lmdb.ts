import { statfsSync } from 'node:fs'
import { UserError } from '../base/user-error.ts'

/** Bytes that stay free on a disk. lmdb's writer crashes if a write fills the disk. */
const reserve = 16 * 1024 * 1024

export class DiskFullError extends UserError {
  constructor () {
    super('the disk is full')
    this.name = 'DiskFullError'
  }
}

/**
 * Checks the free space of a disk; call it before each batch of writes.
 * @param bytes size of other data that is about to be written, if it is large
 * @throws DiskFullError if less than 16 MiB (or a quarter of a small disk) would stay free
 */
export function assertRoom (directory: string, bytes = 0): void {
  const { bavail, blocks, bsize } = statfsSync(directory)
  if (bavail * bsize - bytes < Math.min(reserve, blocks * bsize / 4)) throw new DiskFullError()
}

/**
 * Waits until writes are committed.
 * lmdb rejects the promise of each batch of writes if a commit fails, and also a promise inside that error: this function handles both.
 * @param writes promises of `put` and `remove`; the writes of one batch share a promise
 * @throws Error whose cause is the error of the disk
 */
export async function committed (writes: Iterable<Promise<unknown>>): Promise<void> {
  const results = await Promise.allSettled(new Set(writes))
  const failed = results.find(result => result.status === 'rejected')
  if (failed === undefined) return
  const { commitError } = failed.reason as { commitError?: Promise<unknown> }
  const cause: unknown = await commitError?.catch((error: unknown) => error) ?? failed.reason
  throw new Error('the disk did not take the data', { cause })
}
