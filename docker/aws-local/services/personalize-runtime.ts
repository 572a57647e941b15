import Type, { type Static } from 'typebox'
import type { ScoredItem } from '../../../src/recommender/query.ts'
import { personalizeArn } from '../arn.ts'
import { restFaults, restJson } from '../protocol.ts'
import { Refusal } from '../refusal.ts'
import type { Scope } from '../scope.ts'
import { operation, type Service } from '../service.ts'

const Id = Type.String({ minLength: 1, maxLength: 256 })

function texts (keyPattern: string, maxProperties: number): ReturnType<typeof Type.Unsafe<Record<string, string>>> {
  return Type.Unsafe(Type.Record(Type.String({ pattern: keyPattern }), Type.String({ maxLength: 1000 }), { maxProperties, additionalProperties: false }))
}

const filtering = {
  filterArn: Type.Optional(personalizeArn('filter')),
  filterValues: Type.Optional(texts('^[A-Za-z0-9_]{1,50}$', 25))
}

const common = {
  ...filtering,
  context: Type.Optional(texts('^[A-Za-z0-9_]{1,150}$', 150)),
  metadataColumns: Type.Optional(Type.Object({
    ITEMS: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 150 }), { minItems: 1, maxItems: 10 }))
  }, { additionalProperties: false }))
}

const RecommendationsSchema = Type.Object({
  ...common,
  campaignArn: Type.Optional(personalizeArn('campaign')),
  recommenderArn: Type.Optional(personalizeArn('recommender')),
  itemId: Type.Optional(Id),
  userId: Type.Optional(Id),
  numResults: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
  promotions: Type.Optional(Type.Array(Type.Object({
    ...filtering,
    name: Type.String({ minLength: 1, maxLength: 63 }),
    percentPromotedItems: Type.Integer({ minimum: 1, maximum: 100 })
  }), { maxItems: 1 }))
})

const RankingSchema = Type.Object({
  ...common,
  campaignArn: personalizeArn('campaign'),
  inputList: Type.Array(Id, { minItems: 1, maxItems: 500 }),
  userId: Id
})

type Columns = Static<typeof RankingSchema>['metadataColumns']

const mostWithMetadata = 50
const filterValue = /^(?:"[^"]*"(?:,"[^"]*")*|-?\d+(?:\.\d+)?)$/

/** Opens the runtime of Amazon Personalize: recommendations and rankings from the model. */
export function personalizeRuntime ({ model, catalog, newId }: Scope): Service {
  const predicted = (scored: ScoredItem[], columns: Columns): object[] =>
    scored.map(({ itemId, score }) => ({ itemId, score, ...(columns?.ITEMS && { metadata: catalog.select(itemId, columns.ITEMS) }) }))
  const recommendationId = (): string => `RID-${newId()}`

  return {
    name: 'personalize-runtime',
    protocol: restJson(),
    faults: { ...restFaults, 400: { code: 'InvalidInputException', status: 400 } },
    operations: {
      'POST /recommendations': operation(RecommendationsSchema, input => {
        const { campaignArn, recommenderArn, itemId, userId, numResults = 25, promotions, metadataColumns } = input
        if ((campaignArn === undefined) === (recommenderArn === undefined)) throw new Refusal('400', 'Exactly one of campaignArn and recommenderArn must be given.')
        if (itemId === undefined && userId === undefined) throw new Refusal('400', 'A userId or an itemId must be given.')
        checkFilter(input)
        for (const promotion of promotions ?? []) checkFilter(promotion)
        checkMetadata(metadataColumns, numResults, 'numResults')
        const scored = itemId === undefined ? model.recommend(userId, numResults) : model.related(itemId, userId, numResults)
        return { itemList: promoted(predicted(scored, metadataColumns), promotions?.[0]), recommendationId: recommendationId() }
      }),

      'POST /personalize-ranking': operation(RankingSchema, input => {
        const { inputList, userId, metadataColumns } = input
        checkFilter(input)
        checkMetadata(metadataColumns, inputList.length, 'inputList')
        return { personalizedRanking: predicted(model.rerank(inputList, userId), metadataColumns), recommendationId: recommendationId() }
      })
    }
  }
}

function checkFilter ({ filterArn, filterValues }: { filterArn?: string, filterValues?: Record<string, string> }): void {
  if (filterValues !== undefined && filterArn === undefined) throw new Refusal('400', 'filterValues were given without a filterArn.')
  for (const [name, value] of Object.entries(filterValues ?? {})) {
    if (!filterValue.test(value)) throw new Refusal('400', `filterValues/${name} must be a number, or texts in double quotes with commas between them.`)
  }
}

function checkMetadata (columns: Columns, results: number, name: string): void {
  if (columns?.ITEMS !== undefined && results > mostWithMetadata) throw new Refusal('400', `With metadataColumns, ${name} must be at most ${mostWithMetadata}.`)
}

/** Marks the promotion's share of the items as promoted. The real service selects them by a filter; this server does not evaluate filters. */
function promoted (items: object[], promotion: { name: string, percentPromotedItems: number } | undefined): object[] {
  if (promotion === undefined) return items
  const count = Math.floor(items.length * promotion.percentPromotedItems / 100)
  return items.map((item, i) => i < count ? { ...item, promotionName: promotion.name, reason: ['Promoted item'] } : item)
}
