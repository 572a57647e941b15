/** Documents with the structure of the AWS sample's configuration, as deployments of the sample have them. */

const cacheControl = {
  autoProvision: true,
  userSpecified: { maxAge: 10, directives: 'private' },
  syntheticUserSpecified: { maxAge: 300, directives: 'public' },
  noUserSpecified: { maxAge: 1200, directives: 'public' }
}

const arn = (resource: string): string => `arn:aws:personalize:us-east-1:123456789012:${resource}`

const deviceType = {
  type: 'string',
  default: 'Desktop',
  evaluateAll: true,
  rules: [
    { type: 'header-value', header: 'cloudfront-is-desktop-viewer', valueMappings: [{ operator: 'equals', value: 'true', mapTo: 'Desktop' }] },
    { type: 'header-value', header: 'cloudfront-is-mobile-viewer', valueMappings: [{ operator: 'equals', value: 'true', mapTo: 'Mobile' }] }
  ]
}

const timeOfDay = {
  type: 'string',
  rules: [{
    type: 'hour-of-day',
    valueMappings: [
      { operator: 'less-than', value: 5, mapTo: 'Night' },
      { operator: 'greater-than', value: 17, mapTo: 'Evening' }
    ]
  }]
}

const autoContext = {
  deviceType,
  timeOfDay,
  weekday: { type: 'integer', description: 'Monday is 0', default: 0, rules: [{ type: 'day-of-week' }] },
  season: { type: 'integer', rules: [{ type: 'season-of-year' }] },
  city: { type: 'string', rules: [{ type: 'header-value', header: 'cloudfront-viewer-city' }] }
}

const filters = [
  {
    arn: arn('filter/promoted-by-country'),
    condition: 'user-required',
    autoDynamicFilterValues: {
      COUNTRY: { type: 'string', rules: [{ type: 'header-value', header: 'cloudfront-viewer-country', valueMappings: [{ operator: 'starts-with', value: 'U', mapTo: 'US' }] }] },
      HOUR: { type: 'float', rules: [{ type: 'hour-of-day' }] }
    }
  },
  { arn: arn('filter/all') }
]

const metrics = {
  Clicked: { trackExposures: true, entityIdKey: 'userDetails.userId', valueKey: 'details.itemClicked' },
  Bought: { trackExposures: false, entityIdKey: 'userDetails.userId', valueKey: 'details.itemBought' }
}

const recommenders = {
  'recommend-items': {
    'recommended-for-you': {
      name: 'Recommended for you',
      description: 'What a shopper may like',
      inferenceItemMetadata: { type: 'localdb' },
      autoContext,
      filters,
      variations: {
        'user-personalization': { type: 'personalize-campaign', arn: arn('campaign/user-personalization'), filters },
        'domain-recommender': { type: 'personalize-recommender', arn: arn('recommender/for-you'), autoContext },
        'ranking-model': { type: 'sagemaker', endpointName: 'object2vec-1' },
        'house-rules': { type: 'lambda', arn: 'arn:aws:lambda:us-east-1:123456789012:function:recommend' },
        'old-spelling': { type: 'function', arn: 'arn:aws:lambda:us-east-1:123456789012:function:recommend' },
        elsewhere: { type: 'http', url: 'https://recommender.example.com/users/{userId}', cacheControl }
      },
      experiments: { 'home-page': { method: 'evidently', project: 'retail', metrics } },
      responsePostProcessor: { type: 'lambda', arn: 'arn:aws:lambda:us-east-1:123456789012:function:shuffle', lookAheadMultiplier: 2, lookAheadMaximumValue: 100 }
    }
  },
  'related-items': {
    similar: { variations: { sims: { type: 'personalize-campaign', arn: arn('campaign/sims'), inferenceItemMetadata: { type: 'localdb', syncInterval: 300 } } } }
  },
  'rerank-items': {
    ranking: { cacheControl, variations: { 'personalized-ranking': { type: 'personalize-campaign', arn: arn('campaign/ranking') } } }
  }
}

export const sampleDocuments: Readonly<Record<string, object>> = {
  'the smallest': { namespaces: {} },
  'one campaign': {
    version: '2',
    namespaces: {
      'my-app': {
        name: 'My app',
        recommenders: { 'recommend-items': { 'for-you': { variations: { 'user-personalization': { type: 'personalize-campaign', arn: arn('campaign/up') } } } } },
        eventTargets: [{ type: 'personalize-event-tracker', trackingId: '0e3d6a5c-1111-2222-3333-444455556666' }]
      }
    }
  },
  'everything at once': {
    version: '10',
    title: 'My personalization APIs',
    description: 'All that a store shows',
    cacheControl,
    namespaces: {
      'my-store': {
        name: 'My store',
        description: 'The store',
        autoContext: { city: autoContext.city },
        inferenceItemMetadata: { type: 'localdb', syncInterval: 300 },
        recommenders,
        eventTargets: [
          { type: 'personalize-event-tracker', trackingId: '0e3d6a5c-1111-2222-3333-444455556666' },
          { type: 'kinesis-stream', streamName: 'my-events' },
          { type: 'kinesis-firehose', streamName: 'my-archive' }
        ]
      },
      'other-store': { recommenders: {} },
      'events-only': { eventTargets: [{ type: 'kinesis-stream', streamName: 'my-events' }] }
    }
  },
  'items in DynamoDB and in Personalize': {
    namespaces: {
      one: { inferenceItemMetadata: { type: 'dynamodb', autoProvision: true, billingMode: 'PROVISIONED', provisionedThroughput: { readCapacityUnits: 5, writeCapacityUnits: 0 } }, recommenders: {} },
      two: { inferenceItemMetadata: { type: 'dynamodb', billingMode: 'PAY_PER_REQUEST' }, recommenders: {} },
      three: { inferenceItemMetadata: { type: 'personalize' }, recommenders: {} }
    }
  },
  "the sample's other spellings": {
    namespaces: {
      shop: {
        autoContext: { season: { type: 'string', rules: [{ type: 'season', valueMappings: [{ operator: 'start-with', value: '0', mapTo: 'spring' }] }] } },
        recommenders: { 'recommend-items': { r: { variations: { f: { type: 'function', arn: 'arn:aws:lambda:us-east-1:123456789012:function:f' } } } } }
      }
    }
  }
}

/** Returns a valid document with this gateway's additions, in which a test can make any value invalid. */
export function embeddedDocument () {
  return {
    version: '1',
    cacheControl: structuredClone(cacheControl),
    namespaces: {
      shop: {
        autoContext: structuredClone(autoContext),
        filters: structuredClone(filters),
        recommenders: {
          'recommend-items': {
            home: {
              variations: { a: { type: 'embedded', excludeSeen: true, parameters: { recentItems: 4 } }, b: { type: 'embedded', resilience: { timeout: 100 } } },
              experiments: { test: { method: 'weighted', weights: { a: 1, b: 2 }, overrides: { 'user-1': 'b' } } },
              fallback: ['b'],
              resilience: { timeout: 200, hedge: 'b' }
            }
          },
          'related-items': { similar: { variations: { a: { type: 'embedded' } } } },
          'rerank-items': { sorted: { variations: { a: { type: 'embedded' } } } }
        },
        eventTargets: [{ type: 'embedded' }]
      }
    }
  }
}

/** Returns a copy of a document with the value at a JSON pointer set. */
export function withValue<T> (document: T, pointer: string, value: unknown): T {
  const copy = structuredClone(document)
  const keys = pointer.split('/').slice(1).map(key => key.replaceAll('~1', '/').replaceAll('~0', '~'))
  const last = keys.pop()!
  let node = copy as Record<string, unknown>
  for (const key of keys) node = node[key] as Record<string, unknown>
  node[last] = value
  return copy
}
