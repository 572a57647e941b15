import { ruleTypes, type Rule } from '../context/rule-types.ts'
import type { Document } from './document.ts'
import { levelsOf, rulesOf } from './elements.ts'

/** The request headers, in lower case and in order, that the rules of a document read: what a CDN has to pass on and to tell answers apart by. */
export function viewerHeaders (document: Document): string[] {
  const rules = levelsOf(document).flatMap(rulesOf).map(({ value }) => value as Rule)
  return [...new Set(rules.flatMap(rule => ruleTypes.get(rule.type)!.headers(rule)))].sort()
}
