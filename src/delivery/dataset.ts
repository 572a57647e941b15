import { shortfallOf, type Shortfall } from './shortfall.ts'
import type { Sink } from './sink.ts'
import type { Scope } from '../connections/scope.ts'

/** The datasets that a namespace can have. */
export type EntryKind = 'users' | 'items'

/** A user or an item, in the form that datasets take. */
export interface Entry {
  readonly id: string
  /** The JSON text of an object. */
  readonly properties: string | undefined
}

/** The entries that a dataset does not have after a put, and the reason. */
export interface Missing extends Shortfall {
  readonly ids: readonly string[]
}

/** A destination of a namespace's users or items. */
export interface Dataset {
  /** Whether its queue is full for now. */
  readonly full: boolean
  /** Returns whether entries with an id use their share of the queue for now. */
  readonly isFullFor: (id: string) => boolean
  /** Returns the problem of an entry that the dataset would never take; undefined if there is none. */
  readonly problemOf: (entry: Entry) => string | undefined
  /**
   * Puts entries, each in the place of the entry with the same id. Entries with one id are put in the order of the calls.
   * @returns the entries that the dataset does not have, and the reason; undefined if it has all
   */
  put: (entries: readonly Entry[]) => Promise<Missing | undefined>
}

/** The protocol of a dataset. */
export interface DatasetSink extends Sink<Entry> {
  readonly problemOf?: (entry: Entry) => string | undefined
}

/** The size of the queue, and its times in ms: a caller waits for the answer. */
const queueOptions = { most: { parcels: 1_000, bytes: 32 * 1024 * 1024 }, patience: 5_000, longestWait: 10_000 }

/** Opens a dataset over its protocol. All configurations that use the same key share one queue. */
export async function openDataset (scope: Scope, key: string, sink: DatasetSink): Promise<Dataset> {
  // If a call had two entries with one id, it would not be defined which one stays. The sink gets only the last one.
  const send: DatasetSink['send'] = async (entries, signal) => {
    const last = new Map(entries.map(entry => [entry.id, entry]))
    if (last.size === entries.length) return sink.send(entries, signal)
    const ids = [...last.keys()]
    const refusals = await sink.send([...last.values()], signal)
    return entries.map(({ id }) => refusals[ids.indexOf(id)])
  }
  const { createDeliveryQueue } = await import('./queue.ts')
  const queue = await scope.share(`dataset ${key}`, async () => createDeliveryQueue({ ...sink, send }, queueOptions), async queue => queue.drain(), { first: true })
  return {
    get full () { return queue.full },
    isFullFor: queue.isUsedUp,
    problemOf: sink.problemOf ?? (() => undefined),
    async put (entries) {
      const refusals = await queue.deliver(entries.map(entry => ({ value: entry, owner: entry.id, size: sizeOf(entry) })))
      const shortfall = shortfallOf(refusals)
      return shortfall && { ...shortfall, ids: entries.filter((_entry, i) => refusals[i] !== undefined).map(({ id }) => id) }
    }
  }
}

function sizeOf ({ id, properties = '' }: Entry): number {
  return Buffer.byteLength(id) + Buffer.byteLength(properties)
}
