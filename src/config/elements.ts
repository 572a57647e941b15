import type { AutoValuesConfig, FiltersConfig } from '../context/rules.ts'
import { actions, type Action } from '../origins/origin.ts'
import { escapePointer } from '../base/validation.ts'
import type { Document, NamespaceConfig, RecommenderConfig, Tagged } from './document.ts'

/** A part of a document, with the JSON pointer to it. */
export interface Element<T> {
  pointer: string
  value: T
}

export interface RecommenderElement extends Element<RecommenderConfig> {
  namespace: string
  action: Action
  name: string
}

export function namespacesOf (document: Document): Array<Element<NamespaceConfig> & { name: string }> {
  return entries(document.namespaces, '/namespaces').map(({ key: name, ...element }) => ({ ...element, name }))
}

export function recommendersOf (document: Document): RecommenderElement[] {
  return namespacesOf(document).flatMap(({ name: namespace, pointer, value }) =>
    actions.flatMap(action =>
      entries(value.recommenders?.[action], `${pointer}/recommenders/${action}`)
        .map(({ key: name, ...element }) => ({ ...element, namespace, action, name }))))
}

export function variationsOf ({ pointer, value }: Element<RecommenderConfig>): Array<Element<Tagged> & { name: string }> {
  return entries(value.variations, `${pointer}/variations`).map(({ key: name, ...element }) => ({ ...element, name }))
}

export function experimentsOf ({ pointer, value }: Element<RecommenderConfig>): Array<Element<{ method: string }>> {
  return entries(value.experiments, `${pointer}/experiments`)
}

export function eventTargetsOf ({ pointer, value }: Element<NamespaceConfig>): Array<Element<Tagged>> {
  return entries(value.eventTargets, `${pointer}/eventTargets`)
}

/** Returns every level of the document that may define settings for the levels below, the root first. */
export function levelsOf (document: Document): Array<Element<object>> {
  const recommenders = recommendersOf(document)
  return [{ pointer: '', value: document }, ...namespacesOf(document), ...recommenders, ...recommenders.flatMap(variationsOf)]
}

/** Returns the fields of one level's automatic context and automatic filter values. */
export function autoValuesOf ({ pointer, value }: Element<object>): Array<Element<AutoValuesConfig[string]>> {
  const { autoContext, filters } = value as { autoContext?: AutoValuesConfig, filters?: FiltersConfig }
  const tables = [
    { pointer: `${pointer}/autoContext`, value: autoContext },
    ...entries(filters, `${pointer}/filters`).map(filter => ({ pointer: `${filter.pointer}/autoDynamicFilterValues`, value: filter.value.autoDynamicFilterValues }))
  ]
  return tables.flatMap(table => entries(table.value, table.pointer))
}

/** Returns the rules of these fields. */
export function rulesOf (level: Element<object>): Array<Element<Tagged>> {
  return autoValuesOf(level).flatMap(field => entries(field.value.rules, `${field.pointer}/rules`))
}

/** Returns the members of an object or list that are objects themselves. The document's schema refuses the other members. */
export function entries<T> (value: Record<string, T> | readonly T[] | undefined, pointer: string): Array<Element<T> & { key: string }> {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value)
    .filter(([, member]) => typeof member === 'object' && member !== null)
    .map(([key, member]) => ({ key, value: member, pointer: `${pointer}/${escapePointer(key)}` }))
}
