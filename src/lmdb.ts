/**
 * Waits until writes are committed.
 * lmdb tells of a failed commit by the promise of each batch of writes, and once more by a promise inside that error: both are
 * looked at here, so that a full disk is an error of the caller and not the end of the process.
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
