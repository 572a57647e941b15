import type { Test } from 'tap'
import type { AwsLocal } from '../../docker/aws-local/app.ts'
import type { Action, OriginAnswer, RecommendedItem } from '../../src/origins/origin.ts'
import type { OriginUnderTest } from '../contracts/origin.ts'
import { arn, authorization } from '../docker/aws-local/start.ts'
import { startAws } from './aws.ts'
import { openOrigin, requests } from './open-origin.ts'

export const service = 'personalize-runtime'

/** Promotes half of an answer, so that items have more members than their score. */
export const promotions = [{ name: 'sale', percentPromotedItems: 50, filterArn: arn('filter/on-sale'), filterValues: { CATEGORY: '"camping"' } }]
const columns = ['NAME', 'CATEGORY']

/** Opens one of Personalize's two kinds of origin for the contract's tests. */
export async function openPersonalize (t: Test, resource: 'campaign' | 'recommender'): Promise<OriginUnderTest & { aws: AwsLocal }> {
  const { aws, url } = await startAws(t, { newId: () => 'the-same' })
  const type = `personalize-${resource}`
  const received = (): number => aws.requests.of(service).length

  /** Returns the answer to the same request without the SDK. */
  async function expected (action: Action): Promise<OriginAnswer> {
    const { userId, itemId, itemIds, numResults } = { userId: undefined, itemId: undefined, itemIds: undefined, ...requests[action] }
    const target = { [`${resource}Arn`]: arn(`${resource}/for-you`), userId, metadataColumns: { ITEMS: columns } }
    const ranking = action === 'rerank-items'
    const body = ranking ? { ...target, inputList: itemIds } : { ...target, itemId, numResults, promotions }
    const headers = { authorization, 'content-type': 'application/json' }
    const answer = await (await fetch(`${url}/${ranking ? 'personalize-ranking' : 'recommendations'}`, { method: 'POST', headers, body: JSON.stringify(body) })).json() as Record<string, unknown>
    return { items: answer[ranking ? 'personalizedRanking' : 'itemList'] as RecommendedItem[], recommendationId: answer['recommendationId'] as string }
  }

  return {
    aws,
    origin: await openOrigin(t, { type, arn: arn(`${resource}/for-you`), promotions }, columns),
    expected,
    misbehave: failure => aws.behaviours.set(service, { failure }),
    received,
    reached: async count => aws.requests.reached(service, count)
  }
}
