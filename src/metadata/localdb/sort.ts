import { createReadStream } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { assertRoom } from '../../connections/lmdb.ts'
import { decodeUtf8 } from '../../records/decode.ts'
import { readLines } from '../../records/lines.ts'
import type { Item } from '../catalog.ts'

/** Characters of items that are sorted at once in memory. */
const charactersAtOnce = 3 * 1024 * 1024
/** Bytes of a run that are read at once. */
const readAtOnce = 16 * 1024
/** Characters (at least) of a batch of the result. */
const passedAtOnce = 2 * 1024 * 1024
/** Once there are so many runs, they are merged into one: a process may open only a limited number of files. */
const mostRuns = 128
/** Items per write to a run. */
const linesAtOnce = 200

/**
 * Sorts items by id in bounded memory (an external merge sort): writes sorted runs to files, then merges them.
 * LMDB writes a tree that is filled in key order once, from left to right. In any other order each item would rewrite some page: ten
 * times the amount of data, with pages left half empty.
 * @param directory for temporary files, which are removed at the end
 * @returns batches in which each id occurs once, with its last item
 * @throws DiskFullError if there is no room for the files; the errors of reading the items
 */
export async function * sortItems (batches: AsyncIterable<readonly Item[]>, directory: string): AsyncGenerator<readonly Item[]> {
  // Runs that were merged into one hold earlier items than all runs that were not merged yet.
  const merged: string[] = []
  let runs: string[] = []
  let items: Item[] = []
  let size = 0
  const file = (): string => join(directory, `run-${names++}`)
  let names = 0
  for await (const batch of batches) {
    for (const item of batch) {
      items.push(item)
      size += item.itemId.length + item.metadata.length
    }
    if (size < charactersAtOnce) continue
    runs.push(await putAside(batchesOf(items.sort(byId)), file()))
    items = []
    size = 0
    if (runs.length < mostRuns) continue
    merged.push(await putAside(merge(runs.map(readRun)), file()))
    runs = []
  }
  yield * merge([...[...merged, ...runs].map(readRun), batchesOf(items.sort(byId))])
}

function byId (a: Item, b: Item): number {
  return a.itemId < b.itemId ? -1 : a.itemId > b.itemId ? 1 : 0
}

/** Writes a run, a line per item: the id as JSON, a tab, the metadata. Neither contains a line feed, and an id's JSON contains no tab. */
async function putAside (sorted: AsyncIterable<readonly Item[]>, file: string): Promise<string> {
  const handle = await open(file, 'wx')
  try {
    for await (const batch of sorted) {
      assertRoom(dirname(file))
      for (let i = 0; i < batch.length; i += linesAtOnce) {
        const lines = batch.slice(i, i + linesAtOnce).map(({ itemId, metadata }) => `${JSON.stringify(itemId)}\t${metadata}\n`)
        await handle.appendFile(lines.join(''))
      }
    }
  } finally {
    await handle.close()
  }
  return file
}

async function * readRun (file: string): AsyncGenerator<Item[]> {
  const bytes = createReadStream(file, { highWaterMark: readAtOnce })
  for await (const lines of readLines(decodeUtf8(bytes), Infinity)) {
    yield lines.map(({ text }) => {
      const end = text.indexOf('\t')
      return { itemId: JSON.parse(text.slice(0, end)) as string, metadata: text.slice(end + 1) }
    })
  }
  await rm(file)
}

async function * batchesOf (items: Item[]): AsyncGenerator<Item[]> {
  yield items
}

/** A run that is being read, positioned at its next item. */
class Run {
  readonly #batches: AsyncIterator<Item[]>
  readonly #order: number
  #batch: Item[] = []
  #at = 0

  constructor (batches: AsyncIterator<Item[]>, order: number) {
    this.#batches = batches
    this.#order = order
  }

  get item (): Item | undefined {
    return this.#batch[this.#at]
  }

  /** Steps to the next item. @returns whether it is loaded */
  step (): boolean {
    return ++this.#at < this.#batch.length
  }

  /** Reads batches until an item is loaded. @returns false at the end */
  async load (): Promise<boolean> {
    do {
      const next = await this.#batches.next()
      if (next.done === true) return false
      this.#batch = next.value
      this.#at = 0
    } while (this.#batch.length === 0)
    return true
  }

  /** Compares by id; of two items with the same id, the one that was read first comes first. */
  isBefore (other: Run): boolean {
    const order = byId(this.item!, other.item!)
    return order < 0 || (order === 0 && this.#order < other.#order)
  }
}

async function * merge (sources: Array<AsyncGenerator<Item[]>>): AsyncGenerator<Item[]> {
  try {
    yield * mergeRuns(await startRuns(sources))
  } finally {
    // If the merge ends early, the files of the sources are still open.
    await Promise.all(sources.map(async source => source.return(undefined)))
  }
}

/** Returns the runs in descending order: the run with the least item is last, where `pop` is cheap. */
async function startRuns (sources: Array<AsyncGenerator<Item[]>>): Promise<Run[]> {
  const runs: Run[] = []
  for (const [i, source] of sources.entries()) {
    const run = new Run(source, i)
    if (await run.load()) insert(runs, run)
  }
  return runs
}

async function * mergeRuns (runs: Run[]): AsyncGenerator<Item[]> {
  let merged: Item[] = []
  let size = 0
  for (let run = runs.pop(); run !== undefined; run = runs.pop()) {
    const item = run.item!
    if (merged.at(-1)?.itemId === item.itemId) merged.pop()
    else if (size >= passedAtOnce) {
      yield merged
      merged = []
      size = 0
    }
    merged.push(item)
    size += item.itemId.length + item.metadata.length
    if (run.step() || await run.load()) insert(runs, run)
  }
  yield merged
}

function insert (runs: Run[], run: Run): void {
  let low = 0
  let high = runs.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (run.isBefore(runs[middle]!)) low = middle + 1
    else high = middle
  }
  runs.splice(low, 0, run)
}
