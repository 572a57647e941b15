import { createReadStream } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { assertRoom } from '../../connections/lmdb.ts'
import { decodeUtf8 } from '../../records/decode.ts'
import { readLines } from '../../records/lines.ts'
import type { Item } from '../catalog.ts'

/** So many characters of items are sorted at once in memory. */
const charactersAtOnce = 3 * 1024 * 1024
/** Bytes of a run that are read at once. */
const readAtOnce = 16 * 1024
/** Characters (at least) that are passed on at once. */
const passedAtOnce = 2 * 1024 * 1024
/** So many runs are made one before there are more: a process may have only so many files open. */
const mostRuns = 128
/** Items of one write to a run. */
const linesAtOnce = 200

/**
 * Sorts items by id, in bounded memory: what is too much for it is put aside in sorted files, which are then merged.
 * A tree that is filled in order is written once from left to right; in any other order each item would rewrite a page somewhere,
 * ten times as much as there is, and leave pages half empty.
 * @param directory for files that are gone at the end
 * @returns each id once, with the item that came last
 * @throws DiskFullError where there is no room for the files; what reading the items throws
 */
export async function * sortItems (batches: AsyncIterable<readonly Item[]>, directory: string): AsyncGenerator<readonly Item[]> {
  // Of runs that were merged into one, all come before those that were not.
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

/** Writes a run: a line for each item, its id as JSON, a tab, its metadata; neither holds a line feed or its id a tab. */
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

/** A run that is being read, by its next item. */
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

  /** Steps to the next item. @returns whether it is at hand */
  step (): boolean {
    return ++this.#at < this.#batch.length
  }

  /** Reads until an item is at hand. @returns false at the end */
  async load (): Promise<boolean> {
    do {
      const next = await this.#batches.next()
      if (next.done === true) return false
      this.#batch = next.value
      this.#at = 0
    } while (this.#batch.length === 0)
    return true
  }

  /** Of the same id the one that came first goes first. */
  isBefore (other: Run): boolean {
    const order = byId(this.item!, other.item!)
    return order < 0 || (order === 0 && this.#order < other.#order)
  }
}

async function * merge (sources: Array<AsyncGenerator<Item[]>>): AsyncGenerator<Item[]> {
  try {
    yield * mergeRuns(await startRuns(sources))
  } finally {
    // Where it ends early, their files are still open.
    await Promise.all(sources.map(async source => source.return(undefined)))
  }
}

/** The run with the least item stands last, where taking it away is cheap. */
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
