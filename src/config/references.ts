import { originTypes } from '../origins/registry.ts'
import { escapePointer, type Finding } from '../base/validation.ts'
import type { Document } from './document.ts'
import { experimentsOf, recommendersOf, variationsOf, type Element, type RecommenderElement } from './elements.ts'
import { inherit } from './inherit.ts'

/**
 * Returns a finding for each unknown variation that experiments, fallbacks or hedges name, and for each hedge that calls a provider.
 * The document may be invalid: parts of the wrong form are skipped.
 */
export function referenceFindings (document: Document): Finding[] {
  return recommendersOf(document).filter(recommender => variationsOf(recommender).length > 0).flatMap(recommender => {
    const types = new Map(variationsOf(recommender).map(({ name, value }) => [name, value.type]))
    const levels = levelsAbove(document, recommender)
    const lines = [levels, ...variationsOf(recommender).map(variation => [...levels, variation])]
    const hedges = lines.flatMap(hedgeReferences)
    const references = [...lines.flatMap(fallbackReferences), ...hedges, ...experimentsOf(recommender).flatMap(experimentReferences)]
    const where = `of ${recommender.action}/${recommender.name} in namespace ${recommender.namespace}`
    const dangling = references.filter(({ name }) => !types.has(name))
      .map(({ pointer, name }) => ({ pointer, message: `"${name}" is not a variation ${where}; expected one of ${[...types.keys()].join(', ')}` }))
    const waiting = hedges.filter(({ name }) => originTypes.get(types.get(name) ?? '')?.provider !== undefined)
      .map(({ pointer, name }) => ({ pointer, message: `"${name}" ${where} does not answer in this process; expected an embedded variation` }))
    return unique([...dangling, ...waiting])
  })
}

interface Reference {
  pointer: string
  name: string
}

function levelsAbove (document: Document, recommender: RecommenderElement): Array<Element<object>> {
  const pointer = `/namespaces/${escapePointer(recommender.namespace)}`
  return [{ pointer: '', value: document }, { pointer, value: document.namespaces[recommender.namespace]! }, recommender]
}

function fallbackReferences (levels: ReadonlyArray<Element<object>>): Reference[] {
  const fallback = inherit('fallback', levels)
  return referencesIn(fallback?.value, fallback?.pointer ?? '', (_, name) => name)
}

function hedgeReferences (levels: ReadonlyArray<Element<object>>): Reference[] {
  const resilience = inherit('resilience', levels)
  return referencesIn({ hedge: (resilience?.value as { hedge?: unknown } | null | undefined)?.hedge }, resilience?.pointer ?? '', (_, name) => name)
}

function experimentReferences ({ pointer, value }: Element<object>): Reference[] {
  const { weights, overrides, variations } = value as { weights?: unknown, overrides?: unknown, variations?: unknown }
  return [...referencesIn(variations, `${pointer}/variations`, (_index, variation) => variation), ...referencesIn(weights, `${pointer}/weights`, variation => variation), ...referencesIn(overrides, `${pointer}/overrides`, (_user, variation) => variation)]
}

function referencesIn (holder: unknown, pointer: string, nameOf: (key: string, value: unknown) => unknown): Reference[] {
  if (typeof holder !== 'object' || holder === null) return []
  return Object.entries(holder).flatMap(([key, value]) => {
    const name = nameOf(key, value)
    return typeof name === 'string' ? [{ pointer: `${pointer}/${escapePointer(key)}`, name }] : []
  })
}

function unique (findings: Finding[]): Finding[] {
  return [...new Map(findings.map(finding => [finding.pointer + finding.message, finding])).values()]
}
