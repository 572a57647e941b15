import type { Finding } from '../base/validation.ts'
import type { CacheControl } from '../cache/cache-control.ts'
import type { Document } from './document.ts'
import { experimentsOf, variationsOf, type Element, type RecommenderElement } from './elements.ts'
import { inherit } from './inherit.ts'

/** The keys of an experiment that name variations. Experiments without them may assign each variation. */
interface Naming {
  method: string
  weights?: Readonly<Record<string, number>>
  variations?: readonly string[]
  overrides?: Readonly<Record<string, string>>
}

function namedBy ({ weights, variations, overrides = {} }: Naming, all: readonly string[]): string[] {
  const named = variations ?? (weights === undefined ? all : Object.keys(weights).filter(name => weights[name]! > 0))
  return [...named, ...Object.values(overrides)]
}

/** Returns the names of the variations that some experiment of a recommender may assign. */
export function testedVariations (recommender: RecommenderElement): Set<string> {
  const all = variationsOf(recommender).map(({ name }) => name)
  return new Set(experimentsOf(recommender).flatMap(({ value }) => namedBy(value, all)))
}

/** Returns findings of experiments that are valid, and whose results would mislead, or that nobody takes part in. */
export function experimentFindings (document: Document, recommender: RecommenderElement): Finding[] {
  const experiments = experimentsOf(recommender) as Array<Element<Naming & { layer?: object, startsAt?: string, endsAt?: string, audience?: object }>>
  const all = variationsOf(recommender)
  const levels = [{ pointer: '', value: document }, { pointer: '', value: document.namespaces[recommender.namespace]! }, recommender]
  const policyOf = (name: string): string => {
    const variation = all.find(variation => variation.name === name)
    return downstreamOf(inherit('cacheControl', variation === undefined ? levels : [...levels, variation])?.value)
  }
  return experiments.flatMap(({ pointer, value }, i) => {
    const names = namedBy(value, all.map(({ name }) => name))
    const findings: Finding[] = []
    if (new Set(names.map(policyOf)).size > 1) findings.push({ pointer, message: 'tests variations whose cacheControl for browsers and CDNs differs: what they answer is seen by nobody, so that fewer exposures of one variation are counted' })
    const before = experiments.slice(0, i).find(({ value: { layer, startsAt, endsAt } }) => layer === undefined && startsAt === undefined && endsAt === undefined)
    if (before !== undefined) findings.push({ pointer, message: `is only for requests that name it with feature=: without, ${before.pointer.slice(before.pointer.lastIndexOf('/') + 1)} before it decides` })
    return findings
  })
}

/** Returns the text of the rules for downstream caches. */
function downstreamOf ({ userSpecified, syntheticUserSpecified }: CacheControl = {}): string {
  return JSON.stringify([userSpecified, syntheticUserSpecified])
}
