import type { Buffer } from 'node:buffer'
import { beginTurns } from '../base/turns.ts'
import { listNames } from '../origins/answer.ts'
import type { Action } from '../origins/origin.ts'

/** An item of a rendered answer, with its JSON text as it stands there. */
export interface ListedItem {
  readonly itemId: string
  readonly text: string
}

export interface Listed {
  readonly items: readonly ListedItem[]
  readonly recommendationId: string | undefined
}

/** Matches a whole string, or a bracket. */
const token = /"(?:[^"\\]|\\.)*"|[[\]{}]/g

/**
 * Reads the list of a rendered answer (see render.ts), a large one in slices. The texts of items stay as they are, so that their numbers
 * keep their digits.
 */
export async function readListed (action: Action, rendered: Buffer): Promise<Listed> {
  const body = rendered.toString()
  const turn = beginTurns()
  const items: ListedItem[] = []
  const tokens = new RegExp(token)
  tokens.lastIndex = `{"${listNames[action]}":[`.length
  let depth = 0
  let from = 0
  for (let match = tokens.exec(body); match !== null; match = tokens.exec(body)) {
    const [sign] = match
    if (sign === '{' || sign === '[') {
      if (depth++ === 0) from = match.index
    } else if (sign === '}' || sign === ']') {
      if (--depth < 0) break
      if (depth > 0) continue
      const text = body.slice(from, tokens.lastIndex)
      items.push({ itemId: (JSON.parse(text) as { itemId: string }).itemId, text })
      if (turn.over) await turn.next()
    }
  }
  const { recommendationId } = JSON.parse(`{"list":[]${body.slice(tokens.lastIndex)}`) as { recommendationId?: string }
  return { items, recommendationId }
}
