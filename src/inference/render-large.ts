import { Buffer } from 'node:buffer'
import { beginTurns } from '../base/turns.ts'
import { createTagger } from '../cache/entry.ts'
import type { ItemMetadataStore } from '../metadata/store.ts'
import type { Action, OriginAnswer } from '../origins/origin.ts'
import { partsOf, renderBody, splitAtList, type Rendered } from './render.ts'

/** The number of items whose metadata is in memory at once. */
const atOnce = 16

/** The room of a body before the sizes of its items are known, and what it gets beyond the estimate, in bytes. */
const spare = 64 * 1024

/**
 * Returns the body of an answer of many items, with its entity tag. It looks up the metadata of a few items at a time and writes it at
 * once: all of it as text would take as much memory as the body.
 */
export async function renderLarge (action: Action, { items, ...answer }: OriginAnswer, store: ItemMetadataStore, deadline: AbortSignal): Promise<Rendered> {
  const [opening, closing] = splitAtList(renderBody(action, { ...answer, items: [] }, new Map()))
  const turn = beginTurns()
  const tagger = createTagger()
  let body: Buffer = Buffer.allocUnsafeSlow(spare)
  let size = 0
  let done = 0

  function write (text: string): void {
    const end = size + Buffer.byteLength(text)
    // Pages of memory of this size are taken when they are written: an estimate that is too high takes nothing.
    if (end > body.length) body = copyOf(body.subarray(0, size), Math.max(end, Math.ceil(size * items.length / Math.max(done, 1))) + spare)
    body.write(text, size)
    size = end
  }

  write(opening)
  for (let tagged = 0; done < items.length; tagged = size) {
    if (turn.over) await turn.next()
    const some = items.slice(done, done + atOnce)
    const metadata = await store.get(some.map(({ itemId }) => itemId), deadline)
    for (const item of some) {
      if (done > 0) write(',')
      for (const part of partsOf(item, metadata.get(item.itemId))) write(part)
      done++
    }
    tagger.add(body.subarray(tagged, size))
  }
  const tagged = size
  write(closing)
  tagger.add(body.subarray(tagged, size))
  const isTight = body.length <= 1.25 * size + 2 * spare
  return { body: isTight ? body.subarray(0, size) : copyOf(body.subarray(0, size), size), etag: tagger.tag() }
}

/** Returns a copy of bytes at the beginning of a buffer of another size. */
function copyOf (bytes: Buffer, size: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(size)
  bytes.copy(copy)
  return copy
}
