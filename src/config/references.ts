import { type Finding } from '../validation.ts'
import { type Document } from './document.ts'
import { experimentsOf, recommendersOf, variationsOf, type Element, type RecommenderElement } from './elements.ts'
import { inherit } from './inherit.ts'

/** Names of variations in a document that are not there: in experiments, fallbacks and hedges. */
export function referenceFindings (document: Document): Finding[] {
  return recommendersOf(document).flatMap(recommender => {
    const known = new Map(variationsOf(recommender).map(variation => [variation.name, variation.value.type]))
    const levels = levelsAbove(document, recommender)
    const lines = [levels, ...variationsOf(recommender).map(variation => [...levels, variation])]
    const found = [
      ...lines.flatMap(line => fallbackReferences(line)),
      ...lines.flatMap(line => hedgeReferences(line)),
      ...experimentsOf(recommender).flatMap(experimentReferences)
    ]
    const where = `of ${recommender.action}/${recommender.name} in namespace ${recommender.namespace}`
    const dangling = found.filter(({ name }) => !known.has(name))
      .map(({ pointer, name }) => ({ pointer, message: `"${name}" is not a variation ${where}; expected one of ${[...known.keys()].join(', ')}` }))
    return unique(dangling)
  })
}

interface Reference {
  pointer: string
  name: string
}

function levelsAbove (document: Document, recommender: RecommenderElement): Array<Element<object>> {
  const namespace = document.namespaces[recommender.namespace]!
  return [{ pointer: '', value: document }, { pointer: `/namespaces/${recommender.namespace}`, value: namespace }, recommender]
}

function fallbackReferences (levels: ReadonlyArray<Element<object>>): Reference[] {
  const fallback = inherit('fallback', levels)
  return fallback?.value.map((name, index) => ({ pointer: `${fallback.pointer}/${index}`, name })) ?? []
}

function hedgeReferences (levels: ReadonlyArray<Element<object>>): Reference[] {
  const resilience = inherit('resilience', levels)
  return resilience?.value.hedge === undefined ? [] : [{ pointer: `${resilience.pointer}/hedge`, name: resilience.value.hedge }]
}

function experimentReferences ({ pointer, value }: Element<object>): Reference[] {
  const { weights = {}, overrides = {} } = value as { weights?: Record<string, number>, overrides?: Record<string, string> }
  return [
    ...Object.keys(weights).map(name => ({ pointer: `${pointer}/weights/${name}`, name })),
    ...Object.entries(overrides).map(([user, name]) => ({ pointer: `${pointer}/overrides/${user}`, name }))
  ]
}

function unique (findings: Finding[]): Finding[] {
  return [...new Map(findings.map(finding => [finding.pointer, finding])).values()]
}
