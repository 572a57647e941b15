import type { UserKind } from '../cache/cache-control.ts'
import type { OriginRequest } from '../origins/origin.ts'

/** One inference request, validated. */
export interface InferenceRequest extends OriginRequest {
  decorateItems: boolean
  /** Whether the user stands for a group, so that shared caches may keep the answer. */
  syntheticUser: boolean
  /** The experiment that the request names. */
  feature: string | undefined
  /** The query parameters as received. Those that the schema of the route does not know are not validated. */
  query?: Readonly<Record<string, unknown>>
}

/** Returns what is known of the user that a request is for. */
export function userKindOf ({ userId, syntheticUser }: InferenceRequest): UserKind {
  if (userId === undefined) return 'none'
  return syntheticUser ? 'synthetic' : 'given'
}
