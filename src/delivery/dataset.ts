import { shortfallOf, type Shortfall } from './shortfall.ts'
import type { Sink } from './sink.ts'
import type { Scope } from '../connections/scope.ts'

/** The datasets that a namespace can have. */
export type EntryKind = 'users' | 'items'

/** A user or an item, as datasets take it. */
export interface Entry {
  readonly id: string
  /** The JSON text of an object. */
  readonly properties: string | undefined
}

/** What a dataset does not have of what it was given, and why. */
export interface Missing extends Shortfall {
  readonly ids: readonly string[]
}

/** Where a namespace's users, or its items, go. */
export interface Dataset {
  /** Whether it takes no more for now. */
  readonly full: boolean
  /** What is wrong with an entry that it would never take. */
  readonly problemOf: (entry: Entry) => string | undefined
  /**
   * Puts entries in the place of those of the same ids, those of one id in the order of the calls.
   * @returns what the dataset does not have of them; undefined where it has all
   */
  put: (entries: readonly Entry[]) => Promise<Missing | undefined>
}

/** The protocol of a dataset. */
export interface DatasetSink extends Sink<Entry> {
  readonly problemOf?: (entry: Entry) => string | undefined
}

/** What waits for a dataset, and for how long: someone waits for the answer. */
const queueOptions = { most: { parcels: 1_000, bytes: 32 * 1024 * 1024 }, patience: 5_000, longestWait: 10_000 }

/** The dataset that a sink is the protocol of, with a queue that all configurations share which name it alike. */
export async function openDataset (scope: Scope, key: string, sink: DatasetSink): Promise<Dataset> {
  // Of two in one call nobody says which would stay.
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
