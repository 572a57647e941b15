import { createRequire } from 'node:module'
import type Jsonata from 'jsonata'
import type { OriginRequest } from './origin.ts'

/** A mapping is compiled while a document is validated, which waits for nothing: so this is what loads JSONata with the first mapping. */
const require = createRequire(import.meta.url)

/** Bounds of one evaluation: ms, depth of calls, members of a list. */
const bounds = { timeout: 100, stack: 200, sequence: 10_000 }

/** A JSONata expression, ready to be evaluated on an input, with the request as `$request`. */
export type Mapping = (input: unknown, request: OriginRequest) => Promise<unknown>

/** Regular expressions can run for ever, whatever the time bound says, so mappings have none. */
const noRegularExpressions = 'regular expressions are not available in mappings'
const NoRegularExpressions = class {
  constructor () {
    throw new Error(noRegularExpressions)
  }
} as unknown as RegExpConstructor

function refuseRegularExpressions (node: unknown): void {
  if (typeof node !== 'object' || node === null) return
  const { type, position } = node as { type?: unknown, position?: number }
  if (type === 'regex') throw Object.assign(new Error(noRegularExpressions), { position })
  Object.values(node).forEach(refuseRegularExpressions)
}

/**
 * Compiles a mapping (https://docs.jsonata.org).
 * @throws Error with the position of the mistake
 */
export function compileMapping (expression: string): Mapping {
  try {
    const jsonata = require('jsonata') as typeof Jsonata
    const compiled = jsonata(expression, { ...bounds, RegexEngine: NoRegularExpressions })
    refuseRegularExpressions(compiled.ast())
    // Text that comes at run time is data, never an expression.
    compiled.assign('eval', undefined)
    return async (input, request) => plain(await compiled.evaluate(input, { request: mappingInput(request) }))
  } catch (error) {
    const { message, position } = error as { message: string, position?: number }
    throw new Error(position === undefined ? message : `${message} (at character ${position})`, { cause: error })
  }
}

/** What a request mapping sees; what is absent is missing. */
export function mappingInput ({ action, namespace, recommender, userId, itemId, itemIds, numResults, context }: OriginRequest): object {
  return { action, namespace, recommender, userId, itemId, itemIds, numResults, context }
}

/** JSONata marks its lists with properties of its own; a copy through JSON has none. */
function plain (value: unknown): unknown {
  return typeof value === 'object' && value !== null ? JSON.parse(JSON.stringify(value)) : value
}
