import { ruleTypes } from '../context/rule-types.ts'
import { originTypes } from '../origins/registry.ts'
import type { Kind, Registry } from '../base/schema.ts'
import type { Document, Tagged } from './document.ts'
import { entries, levelsOf, recommendersOf, rulesOf, variationsOf } from './elements.ts'

/** Other spellings of operators, which the documentation and code of the AWS sample use. */
const operatorAliases: ReadonlyMap<unknown, string> = new Map([['start-with', 'starts-with'], ['end-with', 'ends-with']])

const written = new WeakMap<Document, Document>()

/** Returns a normalised document as it was before: as it is written. */
export function asWritten (document: Document): Document {
  return written.get(document) ?? document
}

/** Returns a copy of a document with aliases replaced by the names that they stand for. The input may be invalid in any way. */
export function normalise (input: unknown): unknown {
  const document = structuredClone(input) as Document
  if (typeof document !== 'object' || document === null) return document
  written.set(document, input as Document)
  for (const recommender of recommendersOf(document)) {
    for (const { value } of variationsOf(recommender)) {
      const written = nameOf(value, originTypes)
      value.type = typeByArn(written, value) ?? written
      if (value.type !== written) misnamed.set(value, written)
      normaliseFilter(value)
    }
  }
  for (const { value } of levelsOf(document).flatMap(rulesOf)) {
    value.type = nameOf(value, ruleTypes)
    for (const { value: mapping } of entries((value as { valueMappings?: object[] }).valueMappings, '')) normaliseOperator(mapping)
  }
  return document
}

/** The types as written of variations whose ARN is of another type. */
const misnamed = new WeakMap<object, string>()

/** Returns the type that a variation of a normalised document has by name, if its ARN is of another type. */
export function misnamedType (variation: object): string | undefined {
  return misnamed.get(variation)
}

/** Returns the type of what the ARN of a variation names, if its own type takes ARNs. */
function typeByArn (type: string, { arn }: Tagged & { arn?: unknown }): string | undefined {
  return typeof arn === 'string' && originTypes.get(type)?.arns !== undefined ? [...originTypes.values()].find(({ arns }) => arns?.test(arn))?.type : undefined
}

/** Variations whose `filter` stands beside `filters`. */
const filteredTwice = new WeakSet<object>()

/** Returns whether a variation of a normalised document had a `filter` beside its `filters`. */
export function isFilteredTwice (variation: object): boolean {
  return filteredTwice.has(variation)
}

/**
 * Makes `filters` of the `filter` of a variation. Beside `filters`, it gives its derived values to those that have none, since the code of
 * the sample looks for them there.
 */
function normaliseFilter (variation: Tagged & { filter?: unknown, filters?: unknown }): void {
  const { filter, filters } = variation
  if (filter === undefined || (filters !== undefined && !Array.isArray(filters))) return
  delete variation.filter
  if (filters === undefined) {
    variation.filters = [typeof filter === 'string' ? { arn: filter } : filter]
    return
  }
  filteredTwice.add(variation)
  const { autoDynamicFilterValues } = (typeof filter === 'object' ? filter ?? {} : {}) as { autoDynamicFilterValues?: unknown }
  if (autoDynamicFilterValues === undefined) return
  variation.filters = filters.map((other: unknown) => typeof other === 'object' && other !== null ? { autoDynamicFilterValues, ...other } : other)
}

function nameOf ({ type }: Tagged, registry: Registry<Kind>): string {
  return [...registry.values()].find(kind => kind.aliases?.includes(type))?.type ?? type
}

function normaliseOperator (mapping: { operator?: unknown }): void {
  mapping.operator = operatorAliases.get(mapping.operator) ?? mapping.operator
}
