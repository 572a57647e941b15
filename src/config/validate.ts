import { asText } from '../context/auto-values.ts'
import { credentialHeaders, ruleTypes, type Rule } from '../context/rule-types.ts'
import { valueTypes } from '../context/rules.ts'
import { eventTargetTypes } from '../targets/registry.ts'
import { experimentMethods } from '../experiments/registry.ts'
import { itemMetadataTypes } from '../metadata/registry.ts'
import { originTypes } from '../origins/registry.ts'
import type { Kind, Registry } from '../base/schema.ts'
import { checker, type Checker, type Finding } from '../base/validation.ts'
import { DocumentSchema, inherited, InheritedSchema, type Document, type Tagged } from './document.ts'
import { autoValuesOf, entries, eventTargetsOf, experimentsOf, levelsOf, namespacesOf, recommendersOf, rulesOf, variationsOf, type Element } from './elements.ts'
import { normalise } from './normalise.ts'
import { referenceFindings } from './references.ts'

export interface ValidatedDocument {
  /** The normalised document. It is valid only if there are no findings. */
  document: Document
  /** All mistakes in the document. */
  findings: Finding[]
}

const checkDocument = checker(DocumentSchema)
const checkInherited = checker(InheritedSchema)
const checkers = new Map<Kind, Checker<Kind['schema']>>()

/** Validates a parsed document: its structure, the elements that have several kinds, and the references between elements. */
export function validateDocument (input: unknown): ValidatedDocument {
  const document = normalise(input) as Document
  const structure = checkDocument(document).findings
  if (typeof document !== 'object' || document === null) return { document, findings: structure }

  const findings = [
    ...structure,
    ...levelsOf(document).flatMap(metadataFindings),
    ...levelsOf(document).flatMap(rulesOf).flatMap(rule => kindFindings(rule, 'type', ruleTypes)),
    ...levelsOf(document).flatMap(autoValuesOf).flatMap(valueFindings),
    ...levelsOf(document).flatMap(rulesOf).flatMap(credentialFindings),
    ...namespacesOf(document).flatMap(eventTargetsOf).flatMap(eventTargetFindings),
    ...recommendersOf(document).flatMap(recommender => [
      ...variationsOf(recommender).flatMap(variation => variationFindings(variation, recommender.action)),
      ...experimentsOf(recommender).flatMap(experiment => methodFindings(experiment, recommender.action))
    ])
  ]
  return { document, findings: [...findings, ...referenceFindings(document)] }
}

function metadataFindings ({ pointer, value }: Element<object>): Finding[] {
  const store = (value as { inferenceItemMetadata?: object }).inferenceItemMetadata
  if (typeof store !== 'object' || store === null) return []
  const at = { pointer: `${pointer}/inferenceItemMetadata`, value: store as Tagged }
  const findings = kindFindings(at, 'type', itemMetadataTypes)
  if (findings.length > 0) return findings
  return itemMetadataTypes.get(at.value.type)?.check?.(at.value).map(({ key, message }) => ({ pointer: `${at.pointer}/${key}`, message })) ?? []
}

function eventTargetFindings (target: Element<Tagged>): Finding[] {
  const findings = kindFindings(target, 'type', eventTargetTypes)
  if (findings.length > 0) return findings
  const { pointer, value } = target
  return eventTargetTypes.get(value.type)?.check?.(value).map(({ key, message }) => ({ pointer: `${pointer}/${key}`, message })) ?? []
}

function methodFindings (experiment: Element<{ method: string }>, action: string): Finding[] {
  const findings = kindFindings(experiment, 'method', experimentMethods)
  if (findings.length > 0) return findings
  const { pointer, value } = experiment
  const { check, actions } = experimentMethods.get(value.method) ?? {}
  return [
    ...check?.(value).map(({ key, message }) => ({ pointer: `${pointer}/${key}`, message })) ?? [],
    ...actions?.includes(action) === false ? [{ pointer: `${pointer}/method`, message: `"${value.method}" does not test ${action}; it tests ${actions.join(', ')}` }] : []
  ]
}

function credentialFindings ({ pointer, value }: Element<Rule>): Finding[] {
  const { header } = value
  if (typeof header !== 'string' || !credentialHeaders.has(header.toLowerCase())) return []
  return [{ pointer: `${pointer}/header`, message: 'carries credentials: it cannot become part of a context' }]
}

/** Returns a finding for each constant (`default` or `mapTo`) of a field that is no value of the field's type. */
function valueFindings ({ pointer, value: { type, default: otherwise, rules } }: ReturnType<typeof autoValuesOf>[number]): Finding[] {
  if (!valueTypes.includes(type)) return []
  const mapped = entries(rules as Rule[], `${pointer}/rules`).flatMap(rule => entries(rule.value.valueMappings, `${rule.pointer}/valueMappings`))
    .map(mapping => ({ pointer: `${mapping.pointer}/mapTo`, value: mapping.value.mapTo }))
  return [{ pointer: `${pointer}/default`, value: otherwise }, ...mapped]
    .filter(({ value }) => (typeof value === 'string' || typeof value === 'number') && asText(value, type) === undefined)
    .map(({ pointer }) => ({ pointer, message: `expected a value of type ${type}` }))
}

function variationFindings ({ pointer, value }: Element<{ type: string }>, action: string): Finding[] {
  const own = Object.fromEntries(Object.entries(value).filter(([key]) => !(key in inherited)))
  const shared = Object.fromEntries(Object.entries(value).filter(([key]) => key in inherited))
  const kind = originTypes.get(value.type)
  const ownFindings = kindFindings({ pointer, value: own }, 'type', originTypes)
  const findings = [...checkInherited(shared, pointer).findings, ...ownFindings]
  if (ownFindings.length === 0) findings.push(...kind?.check?.(own).map(({ key, message }) => ({ pointer: `${pointer}/${key}`, message })) ?? [])
  if (kind !== undefined && !kind.actions.some(known => known === action)) {
    findings.push({ pointer: `${pointer}/type`, message: `"${value.type}" does not answer ${action}; it answers ${kind.actions.join(', ')}` })
  }
  return findings
}

/** Validates an element by the schema of its kind. */
function kindFindings ({ pointer, value }: Element<object>, tag: 'type' | 'method', kinds: Registry<Kind>): Finding[] {
  const name = (value as Record<string, unknown>)[tag]
  if (typeof name !== 'string') return []
  const kind = kinds.get(name)
  if (kind === undefined) return [{ pointer: `${pointer}/${tag}`, message: `expected one of ${[...kinds.keys()].map(known => `"${known}"`).join(', ')}` }]
  let check = checkers.get(kind)
  if (check === undefined) checkers.set(kind, check = checker(kind.schema))
  return check(value, pointer).findings
}
