import type { PredictedItem } from '@aws-sdk/client-personalize-runtime'
import Type, { type Static } from 'typebox'
import { strict } from '../base/schema.ts'
import { awsReader, parseArn } from '../connections/aws.ts'
import { inexactId } from './answer.ts'
import { awsFailure } from './aws-failure.ts'
import { type Action, type Origin, type OriginAnswer, type OriginRequest, type OriginScope, originType, type OriginType, type RecommendedItem } from './origin.ts'
import { OriginError } from './origin-error.ts'
import { resolveFilter } from './personalize-filter.ts'

/** Limits of the service. */
const mostItems = 500
const mostItemsWithMetadata = 50

const PromotionSchema = strict({
  name: Type.String({ pattern: '^[a-zA-Z0-9_-]{1,63}$' }),
  percentPromotedItems: Type.Integer({ minimum: 1, maximum: 100 }),
  filterArn: Type.Optional(Type.String({ pattern: '^arn:[\\w-]+:personalize:[a-z0-9-]+:\\d{12}:filter/[a-zA-Z0-9_-]+$' })),
  filterValues: Type.Optional(Type.Record(Type.String(), Type.String({ maxLength: 1000 }), { maxProperties: 25 }))
})

interface PersonalizeKind {
  type: 'personalize-campaign' | 'personalize-recommender'
  resource: 'campaign' | 'recommender'
  actions: readonly Action[]
}

/** Returns a provider type for the runtime API of Amazon Personalize. Its two types differ in the name of the ARN and in their actions. */
export function personalize ({ type, resource, actions }: PersonalizeKind): OriginType {
  const schema = strict({
    type: Type.Literal(type),
    arn: Type.String({ pattern: `^arn:[\\w-]+:personalize:[a-z0-9-]+:\\d{12}:${resource}/[a-zA-Z0-9_-]+$` }),
    promotions: Type.Optional(Type.Array(PromotionSchema, { maxItems: 1 }))
  })
  return originType({
    type,
    schema,
    actions,
    provider: 'Personalize',
    arns: new RegExp(`^arn:[\\w-]+:personalize:[^:]*:[^:]*:${resource}/`),
    filters: () => true,
    open: async ({ arn, promotions }, scope) => openPersonalize({ [`${resource}Arn`]: arn }, arn, promotions, scope)
  })
}

async function openPersonalize (target: { campaignArn?: string }, arn: string, promotions: Array<Static<typeof PromotionSchema>> | undefined, scope: OriginScope): Promise<Origin> {
  const { GetPersonalizedRankingCommand, GetRecommendationsCommand, PersonalizeRuntimeClient } = await import('@aws-sdk/client-personalize-runtime')
  const client = await awsReader(scope, PersonalizeRuntimeClient, parseArn(arn).region)
  return {
    async recommend (request, signal) {
      const columns = request.decorateItems ? scope.itemColumns : undefined
      checkLimits(request, columns)
      const common = {
        userId: request.userId,
        context: textContext(request.context),
        ...resolveFilter(arn, request),
        ...(columns === undefined ? {} : { metadataColumns: { ITEMS: [...columns] } })
      }
      try {
        if (request.action === 'rerank-items') {
          const input = { ...common, campaignArn: arn, userId: request.userId, inputList: [...request.itemIds ?? []] }
          const { personalizedRanking, recommendationId } = await client.send(new GetPersonalizedRankingCommand(input), { abortSignal: signal })
          return answer(personalizedRanking, recommendationId)
        }
        const input = { ...target, ...common, itemId: request.itemId, numResults: Math.min(request.numResults, columns === undefined ? mostItems : mostItemsWithMetadata), promotions }
        const { itemList, recommendationId } = await client.send(new GetRecommendationsCommand(input), { abortSignal: signal })
        return answer(itemList, recommendationId)
      } catch (error) {
        throw error instanceof OriginError ? error : classify(error, signal, columns)
      }
    }
  }
}

/** Returns the context with all values as text. A fallback can get values that are meant for a function or a model. */
function textContext (context: OriginRequest['context']): Record<string, string> | undefined {
  return context && Object.fromEntries(Object.entries(context).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]))
}

function checkLimits ({ action, numResults, wanted = numResults }: OriginRequest, columns: readonly string[] | undefined): void {
  if (columns === undefined || wanted <= mostItemsWithMetadata) return
  const name = action === 'rerank-items' ? 'itemIds' : 'numResults'
  throw new OriginError('Personalize', 'bad-request', { message: `${name}: expected at most ${mostItemsWithMetadata} items where Amazon Personalize brings their metadata; ask with decorateItems=false for more` })
}

function classify (error: unknown, signal: AbortSignal, columns: readonly string[] | undefined): OriginError {
  const failure = awsFailure(error, signal)
  // Only the service knows which columns exist. An unknown column is a mistake of the configuration, not of the caller.
  if (failure === 'bad-request' && columns !== undefined && /column|metadata/i.test((error as Error).message)) {
    return new OriginError('Personalize', 'refused', { cause: error, message: `Amazon Personalize does not bring the metadata that is configured; check itemColumns (${columns.join(', ')}), and that metadata is enabled for what is called` })
  }
  return new OriginError('Personalize', failure, { cause: error })
}

function answer (items: PredictedItem[] | undefined, recommendationId: string | undefined): OriginAnswer {
  if (!Array.isArray(items)) throw new OriginError('Personalize', 'invalid-answer', { cause: new Error('no list of items') })
  const named = items.map(item => {
    const id: unknown = item.itemId
    // The SDK has parsed the answer, and the digits of a number may be lost.
    if (typeof id === 'number' || typeof id === 'bigint') throw inexactId('Personalize', String(id))
    if (typeof id !== 'string' || id === '') throw new OriginError('Personalize', 'invalid-answer', { cause: new Error('an item without an id') })
    return item as RecommendedItem
  })
  return { items: named, recommendationId }
}
