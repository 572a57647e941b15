import { createRequire } from 'node:module'
import type Jsonata from 'jsonata'
import { bounds, boundExpression, budgetFor } from './mapping-bounds.ts'
import type { OriginRequest } from './origin.ts'

/** Loads JSONata with the first mapping. Validation compiles mappings synchronously, so that `import()` cannot load it. */
const require = createRequire(import.meta.url)

/** JSONata's own bounds of one evaluation: ms by the clock, depth of calls, members of a list. */
const limits = { timeout: 1000, stack: 200, sequence: bounds.list }

/** A JSONata expression, ready to be evaluated on an input, with the request as `$request`. */
export type Mapping = (input: unknown, request: OriginRequest) => Promise<unknown>

/** Mappings have no regular expressions, because the time bound cannot stop one that runs for ever. */
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
    const compiled = jsonata(expression, { ...limits, RegexEngine: NoRegularExpressions })
    refuseRegularExpressions(compiled.ast())
    // Text that comes at run time is data: a mapping must not evaluate it as an expression.
    compiled.assign('eval', undefined)
    boundExpression(compiled)
    return async (input, request) => {
      try {
        return plain(await compiled.evaluate(input, { request: mappingInput(request), ...budgetFor(input) }))
      } catch (error) {
        throw mappingError(error)
      }
    }
  } catch (error) {
    throw mappingError(error)
  }
}

/** Returns an Error for what JSONata throws, which is often no Error, with the reason and the place in the expression. */
function mappingError (thrown: unknown): Error {
  const { message = String(thrown), position } = thrown as { message?: string, position?: number }
  return new Error(typeof position === 'number' ? `${message} (at character ${position})` : message, thrown instanceof Error ? { cause: thrown } : {})
}

/** Returns the input of a request mapping. Absent values are undefined. */
export function mappingInput ({ action, namespace, recommender, userId, itemId, itemIds, numResults, context }: OriginRequest): object {
  return { action, namespace, recommender, userId, itemId, itemIds, numResults, context }
}

/** Returns a copy through JSON, which does not have the properties that JSONata adds to its lists. */
function plain (value: unknown): unknown {
  return typeof value === 'object' && value !== null ? JSON.parse(JSON.stringify(value)) : value
}
