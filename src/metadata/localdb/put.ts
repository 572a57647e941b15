import type { DatasetSink } from '../../delivery/dataset.ts'
import type { Failure } from '../../delivery/sink.ts'
import { DiskFullError } from '../../connections/lmdb.ts'
import { LockedError } from '../../base/lock.ts'
import type { LocalDb } from './open.ts'

/** One commit at a time, of all waiting items. */
const limits = { parcels: 500, bytes: 8 * 1024 * 1024, calls: 1 }

/** Creates a sink that puts single items into this machine's store. */
export function localDbSink (store: LocalDb): DatasetSink {
  return {
    limits,
    atomic: true,
    async send (entries) {
      await store.put(entries.map(({ id, properties = '{}' }) => ({ itemId: id, metadata: properties })))
      return entries.map(() => undefined)
    },
    failureOf
  }
}

function failureOf (error: unknown): Failure {
  if (error instanceof LockedError) return { reason: 'its first import is under way', retry: 'now', away: false }
  if (error instanceof DiskFullError) return { reason: error.message, retry: 'later', away: false }
  return { reason: 'the disk did not take them', retry: 'later', away: false }
}
