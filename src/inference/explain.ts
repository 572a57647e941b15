import type { IncomingHttpHeaders } from 'node:http'
import Type, { type Static } from 'typebox'
import { headerText } from '../base/header-text.ts'
import { describePolicy } from '../cache/policy.ts'
import type { Plan } from '../plan/plan.ts'
import type { AutoValue } from '../context/auto-values.ts'
import { explain } from '../context/resolve.ts'
import type { Surroundings } from '../context/surroundings.ts'
import { reasons } from '../experiments/experiment.ts'
import { actions } from '../origins/origin.ts'
import { assign, type Assigned } from './assign.ts'
import { findRecommender, prepare } from './infer.ts'
import type { InferenceRequest } from './request.ts'

const StringMapSchema = Type.Record(Type.String(), Type.String())

const DerivedSchema = Type.Record(Type.String(), Type.Object({
  type: Type.String(),
  values: Type.Array(Type.String()),
  from: Type.Array(Type.String(), { description: 'The rules that gave the values, by type and position, or "default".' })
}))

/** An experiment, and why a user is in it or not. */
export const ExperimentSchema = Type.Object({
  feature: Type.String(),
  method: Type.String(),
  why: Type.Enum(reasons, { description: '`assigned`: the user takes part. Otherwise the user is served, and does not count.' }),
  hashes: Type.Record(Type.String(), Type.Number(), { description: 'The numbers from 0 to 1 that decided, by what they decided.' }),
  blendedWith: Type.Optional(Type.String({ description: 'The variation whose list is blended with that of `variation`.' }))
})

/** The variation, context, filter and cache key of an inference request, and the rules that decided them. */
export const ExplanationSchema = Type.Object({
  action: Type.Enum(actions),
  namespace: Type.String(),
  recommender: Type.String(),
  variation: Type.String(),
  provider: Type.String({ description: 'The type of the variation.' }),
  localTime: Type.Object({ hour: Type.Integer(), dayOfWeek: Type.Integer(), month: Type.Integer(), day: Type.Integer() }, { description: 'Where the user is; Monday is 0.' }),
  headers: Type.Record(Type.String(), Type.Union([Type.String(), Type.Null()]), { description: 'The request headers that decide, as received; null where absent.' }),
  rules: Type.Object({ autoContext: DerivedSchema, autoDynamicFilterValues: DerivedSchema }),
  context: Type.Record(Type.String(), Type.Unknown()),
  filter: Type.Union([Type.String(), Type.Null()]),
  filterValues: StringMapSchema,
  cacheKey: Type.String(),
  caching: Type.String({ description: 'How long the gateway keeps the answer.' }),
  vary: Type.String(),
  experiment: Type.Union([ExperimentSchema, Type.Null()], { description: 'The experiment that decided on the variation; null if none is running for this request.' })
}, { $id: 'Explanation' })

/**
 * Returns how the gateway would answer a request (variation, context, filter, cache key), and why. It calls no provider.
 * @throws GatewayError 404
 */
export async function explainRequest (plan: Plan, request: InferenceRequest, headers: IncomingHttpHeaders, surroundings: Surroundings, now: number): Promise<Static<typeof ExplanationSchema>> {
  const assigned = await assign(findRecommender(plan, request), request, surroundings, now)
  const { variation, recommender, lookup } = prepare(plan, request, surroundings, true, assigned)
  const { autoContext, autoFilterValues, context, filter, filterValues } = explain(variation.contextRules, request, surroundings)
  const { hour, dayOfWeek, month, day } = surroundings.time
  return {
    action: request.action,
    namespace: request.namespace,
    recommender: request.recommender,
    variation: variation.name,
    provider: variation.type,
    localTime: { hour, dayOfWeek, month, day },
    headers: Object.fromEntries(variation.contextRules.headers.map(name => [name, Object.hasOwn(headers, name) ? headerText(String(headers[name])) : null])),
    rules: { autoContext: described(autoContext), autoDynamicFilterValues: described(autoFilterValues) },
    context: context ?? {},
    filter: filter ?? null,
    filterValues: filterValues ?? {},
    cacheKey: lookup.key,
    caching: describePolicy(lookup.policy),
    vary: recommender.vary,
    experiment: describedMembership(assigned)
  }
}

/** Returns the experiment that decided on a variation; null if none did. */
export function describedMembership ({ membership, opponent }: Assigned): Static<typeof ExperimentSchema> | null {
  if (membership === undefined) return null
  const { experiment: { feature, method }, assignment: { why, hashes } } = membership
  return { feature, method, why, hashes, ...(opponent === undefined ? {} : { blendedWith: opponent.name }) }
}

function described (values: ReadonlyMap<string, AutoValue>): Static<typeof DerivedSchema> {
  return Object.fromEntries([...values].map(([name, { type, values, rules }]) =>
    [name, { type, values: [...values], from: rules.length === 0 ? ['default'] : rules.map(({ type, position }) => `${type} (rule ${position + 1})`) }]))
}
