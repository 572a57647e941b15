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
    for (const { value } of variationsOf(recommender)) value.type = nameOf(value, originTypes)
  }
  for (const { value } of levelsOf(document).flatMap(rulesOf)) {
    value.type = nameOf(value, ruleTypes)
    for (const { value: mapping } of entries((value as { valueMappings?: object[] }).valueMappings, '')) normaliseOperator(mapping)
  }
  return document
}

function nameOf ({ type }: Tagged, registry: Registry<Kind>): string {
  return [...registry.values()].find(kind => kind.aliases?.includes(type))?.type ?? type
}

function normaliseOperator (mapping: { operator?: unknown }): void {
  mapping.operator = operatorAliases.get(mapping.operator) ?? mapping.operator
}
