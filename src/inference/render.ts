import { Buffer } from 'node:buffer'
import { stringifyExactly } from '../base/exact-json.ts'
import { beginTurns } from '../base/turns.ts'
import { createTagger, type Made } from '../cache/entry.ts'
import { listNames } from '../origins/answer.ts'
import type { Action, OriginAnswer, RecommendedItem } from '../origins/origin.ts'

/**
 * Returns the body of an answer as JSON text. It inserts the JSON text of metadata as the store holds it: parsing and writing it
 * again would be most of the cost of a miss.
 */
export function renderBody (action: Action, { items, ratings, recommendationId, more }: OriginAnswer, metadata: ReadonlyMap<string, string>): string {
  const list = ratings !== undefined ? within(ratings) : metadata.size === 0 ? within(items) : items.map(item => renderItem(item, metadata.get(item.itemId))).join(',')
  const id = recommendationId === undefined ? '' : `,"recommendationId":${JSON.stringify(recommendationId)}`
  const rest = more === undefined ? '' : `,${stringifyExactly(more).slice(1, -1)}`
  return `{"${listNames[action]}":[${list}]${id}${rest}}`
}

/** A body, and of a large one its entity tag. */
export type Rendered = Pick<Made, 'body' | 'etag'>

/** Metadata of more characters than this is rendered in slices. */
const large = 256 * 1024

/** Returns the body of an answer, and of a large one also its entity tag. It renders and hashes a large answer in slices. */
export async function render (action: Action, answer: OriginAnswer, metadata: ReadonlyMap<string, string>): Promise<Rendered> {
  let length = 0
  for (const text of metadata.values()) length += text.length
  if (length <= large || answer.ratings !== undefined) return { body: renderBody(action, answer, metadata) }
  return renderInSlices(action, answer, metadata)
}

async function renderInSlices (action: Action, { items, ...answer }: OriginAnswer, metadata: ReadonlyMap<string, string>): Promise<Rendered> {
  const [opening, closing] = splitAtList(renderBody(action, { ...answer, items: [] }, metadata))
  const parts = function * () {
    yield opening
    for (const [i, item] of items.entries()) {
      if (i > 0) yield ','
      yield * partsOf(item, metadata.get(item.itemId))
    }
    yield closing
  }
  const turn = beginTurns()
  await turn.next()
  let size = 0
  for (const part of parts()) {
    size += Buffer.byteLength(part)
    if (turn.over) await turn.next()
  }
  // Pages of memory of this size are taken when they are written: the slices share that work, too.
  const body = Buffer.allocUnsafeSlow(size)
  const tagger = createTagger()
  let at = 0
  for (const part of parts()) {
    const end = at + body.write(part, at)
    tagger.add(body.subarray(at, end))
    at = end
    if (turn.over) await turn.next()
  }
  return { body, etag: tagger.tag() }
}

/** Returns the parts of a body without items before and after the place of its items. */
export function splitAtList (body: string): [string, string] {
  const at = body.indexOf('[') + 1
  return [body.slice(0, at), body.slice(at)]
}

/** Returns the JSON text of a list's members, without the brackets. */
function within (list: readonly unknown[]): string {
  return stringifyExactly(list).slice(1, -1)
}

function renderItem (item: RecommendedItem, metadata: string | undefined): string {
  return partsOf(item, metadata).join('')
}

/** Returns the JSON text of an item in parts. The metadata is a part of its own, so that nobody has to copy it. */
export function partsOf (item: RecommendedItem, metadata: string | undefined): string[] {
  if (metadata === undefined) return [stringifyExactly(item)]
  return [`${stringifyExactly({ ...item, metadata: undefined }).slice(0, -1)},"metadata":`, metadata, '}']
}
