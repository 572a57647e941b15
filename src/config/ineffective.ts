import type { Finding } from '../base/validation.ts'
import type { Document, NamespaceConfig } from './document.ts'
import { eventTargetsOf, experimentsOf, levelsOf, namespacesOf, recommendersOf, variationsOf, type Element, type RecommenderElement } from './elements.ts'
import { inherit } from './inherit.ts'
import { isFilteredTwice, misnamedType } from './normalise.ts'
import { experimentFindings, testedVariations } from './tested-variations.ts'

/** Returns a finding for each part of a valid document that is accepted and has no effect, or another one than it seems to have. */
export function ineffective (document: Document): Finding[] {
  const namespaces = namespacesOf(document)
  const recommenders = recommendersOf(document)
  return [
    ...(namespaces.length === 0 ? [{ pointer: '/namespaces', message: 'is empty: every request gets a 404' }] : []),
    ...namespaces.flatMap(namespace => emptyNamespace(namespace, recommenders)),
    ...levelsOf(document).flatMap(autoProvision),
    ...levelsOf(document).flatMap(store),
    ...recommenders.flatMap(recommender => ofRecommender(document, recommender))
  ]
}

function emptyNamespace (namespace: Element<NamespaceConfig> & { name: string }, recommenders: readonly RecommenderElement[]): Finding[] {
  const { pointer, value, name } = namespace
  const findings = Object.entries(value.recommenders ?? {})
    .filter(([, ofAction]) => typeof ofAction === 'object' && Object.keys(ofAction).length === 0)
    .map(([action]) => ({ pointer: `${pointer}/recommenders/${action}`, message: 'is empty: every request for it gets a 404' }))
  if (recommenders.some(recommender => recommender.namespace === name)) return findings
  if (value.recommenders !== undefined) return [...findings, { pointer: `${pointer}/recommenders`, message: 'has no recommender: every request for recommendations gets a 404' }]
  return eventTargetsOf(namespace).length > 0 ? findings : [{ pointer, message: 'has neither recommenders nor eventTargets: it answers no request' }]
}

function autoProvision ({ pointer, value }: Element<object>): Finding[] {
  const { cacheControl } = value as { cacheControl?: { autoProvision?: boolean } }
  if (cacheControl?.autoProvision !== true) return []
  return [{ pointer: `${pointer}/cacheControl/autoProvision`, message: 'has no effect: the gateway changes no CDN; `gateway config cdn-policy` prints the policy for it' }]
}

function store ({ pointer, value }: Element<object>): Finding[] {
  const { inferenceItemMetadata: config } = value as { inferenceItemMetadata?: { type: string, itemColumns?: unknown, billingMode?: string, provisionedThroughput?: unknown, autoProvision?: boolean } }
  if (config === undefined) return []
  const at = `${pointer}/inferenceItemMetadata`
  const findings: Finding[] = []
  if (config.type === 'personalize' && config.itemColumns === undefined) findings.push({ pointer: at, message: 'has no itemColumns: Amazon Personalize is asked for no metadata' })
  if (config.type === 'dynamodb') {
    if (config.autoProvision === false && (config.billingMode !== undefined || config.provisionedThroughput !== undefined)) findings.push({ pointer: at, message: 'billingMode and provisionedThroughput have no effect without autoProvision' })
    else if (config.provisionedThroughput !== undefined && config.billingMode !== 'PROVISIONED') findings.push({ pointer: `${at}/provisionedThroughput`, message: 'has no effect without "billingMode": "PROVISIONED"' })
  }
  return findings
}

function ofRecommender (document: Document, recommender: RecommenderElement): Finding[] {
  const { pointer, value, action } = recommender
  const variations = variationsOf(recommender)
  if (variations.length === 0) return [{ pointer, message: 'has no variations: every request for it gets a 404' }]
  const findings: Finding[] = []
  findings.push(...unreachable(document, recommender), ...experimentFindings(document, recommender))
  const { responsePostProcessor: after } = value
  if (after !== undefined && action === 'predicted-ratings') findings.push({ pointer: `${pointer}/responsePostProcessor`, message: 'has no effect on predicted-ratings' })
  else if (after?.lookAheadMaximumValue !== undefined && (after.lookAheadMultiplier ?? 1) === 1) findings.push({ pointer: `${pointer}/responsePostProcessor/lookAheadMaximumValue`, message: 'has no effect without a lookAheadMultiplier' })
  else if (after?.lookAheadMultiplier !== undefined && action === 'rerank-items') findings.push({ pointer: `${pointer}/responsePostProcessor/lookAheadMultiplier`, message: 'has no effect on rerank-items' })
  if (action === 'predicted-ratings') {
    for (const level of [recommender, ...variations]) if ('inferenceItemMetadata' in level.value) findings.push({ pointer: `${level.pointer}/inferenceItemMetadata`, message: 'has no effect on predicted-ratings' })
  }
  return [...findings, ...variations.flatMap(variation => ofVariation(document, recommender, variation))]
}

/** Returns a finding for each variation that never answers. */
function unreachable (document: Document, recommender: RecommenderElement): Finding[] {
  const [first, ...others] = variationsOf(recommender)
  const levels = levelsOfVariation(document, recommender, first!)
  const named = new Set([...inherit('fallback', levels)?.value ?? [], inherit('resilience', levels)?.value.hedge])
  const experiments = experimentsOf(recommender)
  const tested = testedVariations(recommender)
  return others.filter(({ name }) => !named.has(name) && !tested.has(name)).map(({ pointer }) => ({ pointer, message: `never answers: the first variation, ${first!.name}, does, and neither its fallback nor its hedge${experiments.length === 0 ? '' : ' nor an experiment'} names this one` }))
}

function levelsOfVariation (document: Document, recommender: RecommenderElement, variation: Element<object>): Array<Element<object>> {
  return [{ pointer: '', value: document }, { pointer: '', value: document.namespaces[recommender.namespace]! }, recommender, variation]
}

function ofVariation (document: Document, recommender: RecommenderElement, variation: Element<{ type: string }>): Finding[] {
  const { pointer, value } = variation
  const findings: Finding[] = []
  const written = misnamedType(value)
  if (written !== undefined) findings.push({ pointer: `${pointer}/type`, message: `is "${written}", but its ARN is of type ${value.type}: the gateway goes by the ARN` })
  if (isFilteredTwice(value)) findings.push({ pointer: `${pointer}/filter`, message: 'stands beside filters: only its autoDynamicFilterValues are used, by those of filters that have none' })
  const store = inherit('inferenceItemMetadata', levelsOfVariation(document, recommender, variation))?.value
  if (store?.type === 'personalize' && !value.type.startsWith('personalize-') && recommender.action !== 'predicted-ratings') {
    findings.push({ pointer, message: 'gets no metadata: inferenceItemMetadata of type personalize is only for variations that Amazon Personalize answers' })
  }
  if ('promotions' in value && recommender.action === 'rerank-items') findings.push({ pointer: `${pointer}/promotions`, message: 'has no effect on rerank-items' })
  return findings
}
