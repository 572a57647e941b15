import { ruleTypes } from '../context/rule-types.ts'
import { originTypes } from '../origins/registry.ts'
import type { Kind, Registry } from '../base/schema.ts'
import type { Document, Tagged } from './document.ts'
import { entries, levelsOf, recommendersOf, rulesOf, variationsOf } from './elements.ts'

/** Spellings that the sample's documentation and code use for one and the same. */
const operatorAliases: ReadonlyMap<unknown, string> = new Map([['start-with', 'starts-with'], ['end-with', 'ends-with']])

/** A copy of a document in which everything has its one name. It may be anything: what is wrong with it is found later. */
export function normalise (input: unknown): unknown {
  const document = structuredClone(input) as Document
  if (typeof document !== 'object' || document === null) return document
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
