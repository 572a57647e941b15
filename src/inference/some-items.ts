import type { NamespacePlan } from '../plan/plan.ts'
import { OriginError } from '../origins/origin-error.ts'

/** Returns up to three items that a recommender in this process offers for a namespace; none if there is no such recommender. */
export async function someItems ({ name, recommenders }: NamespacePlan): Promise<string[]> {
  for (const { name: recommender, variations } of recommenders.values()) {
    const origin = variations.find(({ local }) => local)?.origin
    if (origin === undefined) continue
    try {
      const request = { action: 'recommend-items' as const, namespace: name, recommender, userId: 'user-1', numResults: 3, decorateItems: false }
      const { items } = await origin.recommend(request, new AbortController().signal)
      return items.map(({ itemId }) => itemId)
    } catch (error) {
      if (!(error instanceof OriginError)) throw error
    }
  }
  return []
}
