import t from 'tap'
import { allWarningsOf } from '../../src/config/all-warnings.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { startAws } from '../support/aws.ts'
import { withEnvironment } from '../support/environment.ts'
import { ask, startShop } from '../support/shop.ts'

const remarks = { name: 'A name', description: 'A description' }
const arn = (resource: string): string => `arn:aws:personalize:us-east-1:123456789012:${resource}`
const warnings = async (document: object): Promise<string[]> => allWarningsOf(parseConfig(JSON.stringify({ cacheControl: {}, ...document }), 'test'))
const shop = (recommenders: object): object => ({ namespaces: { shop: { recommenders } } })

withEnvironment(t, { AWS_REGION: 'us-east-1' })

t.test('a name and a description are accepted on every element', async t => {
  const rule = { type: 'header-value', header: 'x', valueMappings: [{ operator: 'equals', value: 1, mapTo: 2, ...remarks }], ...remarks }
  const field = { type: 'string', rules: [rule], ...remarks }
  const resilience = { retries: 0, breaker: { failures: 1, ...remarks }, ...remarks }
  const metrics = { m: { entityIdKey: 'a', valueKey: 'b', ...remarks } }
  const document = {
    description: 'all of it',
    cacheControl: { userSpecified: { maxAge: 1, directives: '', ...remarks }, server: { ttl: 1, ...remarks }, ...remarks },
    namespaces: {
      shop: {
        ...remarks,
        autoContext: { f: field },
        inferenceItemMetadata: { type: 'localdb', ...remarks },
        recommenders: {
          'recommend-items': {
            r: {
              ...remarks,
              experiments: { e: { method: 'evidently', project: 'p', metrics, ...remarks } },
              responsePostProcessor: { type: 'lambda', arn: 'post', ...remarks },
              variations: {
                a: { type: 'personalize-campaign', arn: arn('campaign/c'), filters: [{ arn: arn('filter/f'), autoDynamicFilterValues: { V: field }, ...remarks }], resilience, ...remarks },
                b: { type: 'embedded', parameters: { recentItems: 1, ...remarks }, ...remarks },
                c: { type: 'http', url: 'https://r.example/', ...remarks },
                d: { type: 'sagemaker', endpointName: 'e', ...remarks },
                e: { type: 'lambda', arn: 'f', ...remarks }
              }
            }
          }
        },
        eventTargets: [{ type: 'embedded', ...remarks }, { type: 'kinesis-stream', streamName: 's', ...remarks }, { type: 'personalize-event-tracker', trackingId: 'a-1', ...remarks }]
      }
    }
  }
  t.doesNotThrow(() => parseConfig(JSON.stringify(document), 'test'))
  t.throws(() => parseConfig(JSON.stringify({ ...document, nickname: 'x' }), 'test'), 'nothing else is')
})

t.test('a Lambda function is accepted by its name and by a part of its ARN, and called', async t => {
  const { aws } = await startAws(t, { functions: { recommend: () => ({ itemList: [{ itemId: 'item-1' }] }) } })
  const names = ['recommend', 'recommend:live', 'function:recommend', '123456789012:function:recommend', 'arn:aws:lambda:us-east-1:123456789012:function:recommend:7']
  const app = await startShop(t, { 'recommend-items': Object.fromEntries(names.map((arn, n) => [`r${n}`, { variations: { v: { type: 'lambda', arn } } }])) })
  for (const n of names.keys()) t.match(await ask(app, `/recommend-items/shop/r${n}/u`), { status: 200 }, names[n]!)
  t.equal(aws.requests.of('lambda').length, names.length)
  for (const arn of ['', 'a b', 'arn:aws:lambda:x', 'https://x', 'f:a:b', '../f']) t.throws(() => parseConfig(JSON.stringify(shop({ 'recommend-items': { r: { variations: { v: { type: 'lambda', arn } } } } })), 'test'), arn)
})

t.test('a type that is not that of the ARN gives way to the ARN, with a warning', async t => {
  const { aws } = await startAws(t)
  const recommenders = {
    'recommend-items': {
      a: { variations: { v: { type: 'personalize-campaign', arn: arn('recommender/r') } } },
      b: { variations: { v: { type: 'personalize-recommender', arn: arn('campaign/c') } } }
    }
  }
  const app = await startShop(t, recommenders)
  for (const name of ['a', 'b']) t.match(await ask(app, `/recommend-items/shop/${name}/u`), { status: 200 })
  t.match(aws.requests.of('personalize-runtime').map(({ body }) => body), [{ recommenderArn: arn('recommender/r') }, { campaignArn: arn('campaign/c') }])
  t.match(await warnings(shop(recommenders)), [/\/a\/variations\/v\/type: is "personalize-campaign", but its ARN is of type personalize-recommender/, /\/b\/variations\/v\/type: is "personalize-recommender"/])
  t.throws(() => parseConfig(JSON.stringify(shop({ 'rerank-items': { r: { variations: { v: { type: 'personalize-campaign', arn: arn('recommender/r') } } } } })), 'test'), /does not answer rerank-items/)
})

t.test('names with ".", "~" and spaces are accepted, and served', async t => {
  const variations = { 'the ~.one': { type: 'embedded' } }
  const names = ['a.b', 'a~b', '~', '...', 'my shop', 'v1.0 ~ new']
  const app = await startShop(t, { 'recommend-items': Object.fromEntries(names.map(name => [name, { variations }])) }, { eventTargets: [{ type: 'embedded' }] })
  for (const name of names) {
    const answer = await ask(app, `/recommend-items/shop/${encodeURIComponent(name)}/u`)
    t.match([answer.status, answer.headers['x-personalization-variation']], [200, 'the ~.one'], name)
  }
  for (const name of ['.', '..', ' a', 'a ', '', 'a/b', 'ü']) t.throws(() => parseConfig(JSON.stringify({ namespaces: { [name]: {} } }), 'test'), name)
})

t.test('a `filter` of a variation is its filter, or gives its filters their derived values', async t => {
  const { aws } = await startAws(t)
  const autoDynamicFilterValues = { CITY: { type: 'string', rules: [{ type: 'header-value', header: 'x-city' }] } }
  const v = { type: 'personalize-campaign', arn: arn('campaign/c') }
  const recommenders = {
    'recommend-items': {
      object: { variations: { v: { ...v, filter: { arn: arn('filter/f'), autoDynamicFilterValues } } } },
      text: { variations: { v: { ...v, filter: arn('filter/f') } } },
      both: { variations: { v: { ...v, filters: [{ arn: arn('filter/f') }], filter: { autoDynamicFilterValues } } } }
    }
  }
  const app = await startShop(t, recommenders)
  for (const name of ['object', 'text', 'both']) t.equal((await app.inject({ url: `/recommend-items/shop/${name}/u`, headers: { 'x-city': 'Graz' } })).statusCode, 200, name)
  const withValues = { filterArn: arn('filter/f'), filterValues: { CITY: '"Graz"' } }
  t.match(aws.requests.of('personalize-runtime').map(({ body }) => body), [withValues, { filterArn: arn('filter/f') }, withValues])
  t.match(await warnings(shop(recommenders)), [/\/both\/variations\/v\/filter: stands beside filters/])
})

t.test('what is accepted and has no effect is warned of', async t => {
  const v = { type: 'personalize-campaign', arn: arn('campaign/c') }
  const cases: ReadonlyArray<readonly [document: object, warning: RegExp]> = [
    [{ namespaces: {} }, /^\/namespaces: is empty/],
    [{ namespaces: { a: {} } }, /^\/namespaces\/a: has neither/],
    [shop({}), /recommenders: has no recommender/],
    [shop({ 'recommend-items': {} }), /recommend-items: is empty/],
    [shop({ 'recommend-items': { r: {} } }), /\/r: has no variations/],
    [shop({ 'recommend-items': { r: { variations: {} } } }), /\/r: has no variations/],
    [shop({ 'recommend-items': { r: { variations: { a: v, b: v } } } }), /\/b: never answers/],
    [shop({ 'recommend-items': { r: { variations: { a: { type: 'http', url: 'http://r.example/', request: '{}' } } } } }), /\/a\/request: has no effect/],
    [shop({ 'recommend-items': { r: { variations: { a: v }, responsePostProcessor: { type: 'lambda', arn: 'f', lookAheadMaximumValue: 9 } } } }), /lookAheadMaximumValue: has no effect/],
    [{ cacheControl: { autoProvision: true }, ...shop({ 'recommend-items': { r: { variations: { a: v } } } }) }, /autoProvision: has no effect/]
  ]
  for (const [document, warning] of cases) t.ok((await warnings(document)).some(line => warning.test(line)), `${warning}: ${(await warnings(document)).join('\n')}`)
  t.strictSame(await warnings(shop({ 'recommend-items': { r: { variations: { a: v, b: { type: 'embedded' } }, fallback: ['b'] } } })), [])
})

t.test('a request mapping in which a list of one becomes a value is warned of, with the remedy', async t => {
  const of = async (request: string, action = 'predicted-ratings'): Promise<string[]> => warnings(shop({ [action]: { r: { variations: { v: { type: 'sagemaker', endpointName: 'e', request } } } } }))
  t.match(await of('{"instances": itemIds.{"item": $}}'), [/\/v\/request: instances is a list of three items and a single value of one: .* write \[ … \]/])
  t.match(await of('{"a": {"b": [{"c": itemIds.("x" & $)}]}}', 'rerank-items'), [/request: a\.b\[0\]\.c is a list/])
  t.match(await of('itemIds.{"item": $}'), [/request: the result is a list/])
  t.strictSame(await of('{"instances": [itemIds.{"item": $}]}'), [])
  t.match(await of('{"instances": [itemIds.$number()]}'), [/takes only ids that are numbers, and answers 400 to others: .*"item-1"/], 'a conversion by $number')
  t.match(await of('{"user": $number("x")}'), [/fails with every request that was tried: .*\(at character 17\)/])
  t.strictSame(await of('{"user": userId}', 'recommend-items'), [])
})
