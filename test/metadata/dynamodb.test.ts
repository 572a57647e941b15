import t from 'tap'
import { validateDocument } from '../../src/config/validate.ts'
import { itemMetadataTypes } from '../../src/metadata/registry.ts'
import { createHolder } from '../../src/connections/scope.ts'
import { startDynamo } from '../support/dynalite.ts'
import { eventually } from '../support/eventually.ts'
import { sendEvents, startGateway, storeConfig } from '../support/gateway.ts'
import { testCatalog } from '../support/test-catalog.ts'
import { testResources } from '../support/test-resources.ts'

const dynamodb = itemMetadataTypes.get('dynamodb')!
const withStore = (inferenceItemMetadata: object) => ({ ...storeConfig, namespaces: { store: { ...storeConfig.namespaces.store, inferenceItemMetadata } } })

t.test('an answer carries metadata from DynamoDB as it stands there, and the metrics say what it took', async t => {
  await startDynamo(t)
  await dynamodb.load!({ type: 'dynamodb' }, testCatalog({ tea: '{"name":"Grüner Tee","price":0.1000000000000000055}' }), { dataDir: '', namespace: 'store' })
  const { app } = await startGateway(t, withStore({ type: 'dynamodb', cacheTtl: 60 }))
  await sendEvents(t, app, 'a', ['tea', 'cup'])
  await eventually('the events count', async () => (await app.inject('/recommend-items/store/for-you/nobody?decorateItems=false')).body.includes('tea'))
  const { statusCode, body } = await app.inject('/recommend-items/store/for-you/somebody')
  t.equal(statusCode, 200)
  t.ok(body.includes('{"name":"Grüner Tee","price":0.1000000000000000055}'), body)
  const metrics = await app.metrics.text()
  t.match(metrics, /^gateway_item_metadata_calls_total [1-9]/m)
  t.match(metrics, /^gateway_item_metadata_failures_total\{reason="throttled"\} 0/m)
  for (const name of ['throttled', 'retried_keys', 'cache_hits']) t.match(metrics, new RegExp(`^gateway_item_metadata_${name}_total \\d`, 'm'))
})

t.test('a configuration says what is wrong with it', async t => {
  const found = (config: object) => validateDocument(withStore({ type: 'dynamodb', ...config })).findings.map(({ pointer, message }) => `${pointer.replace('/namespaces/store/inferenceItemMetadata', '')}: ${message}`)
  t.strictSame(found({}), [])
  t.strictSame(found({ autoProvision: false, billingMode: 'PAY_PER_REQUEST', cacheTtl: 86_400, cacheMaxItems: 1 }), [])
  t.strictSame(found({ billingMode: 'PROVISIONED', provisionedThroughput: { readCapacityUnits: 5, writeCapacityUnits: 5 } }), [])
  t.strictSame(found({ billingMode: 'PROVISIONED' }), ['readCapacityUnits', 'writeCapacityUnits'].map(key => `/provisionedThroughput/${key}: is missing; expected an integer with billingMode PROVISIONED`))
  t.match(found({ billingMode: 'PROVISIONED', provisionedThroughput: { readCapacityUnits: 5 } }), [/writeCapacityUnits: is missing/])
  t.match(found({ cacheTtl: 86_401 }), [/^\/cacheTtl: expected an integer from 0 to 86400$/])
  t.match(found({ cacheMaxItems: 0, billingMode: 'FREE' }), [/billingMode|cacheMaxItems/, /billingMode|cacheMaxItems/])
})

t.test('one store serves all variations of a namespace, and one client all namespaces', async t => {
  await startDynamo(t)
  const resources = testResources(t.testdir())
  t.teardown(resources.close)
  const { scopeOf, release } = createHolder(resources)
  const config = { type: 'dynamodb' }
  const [one, same, other, remembering] = [await dynamodb.open(config, scopeOf('shop')), await dynamodb.open(config, scopeOf('shop')), await dynamodb.open(config, scopeOf('else')), await dynamodb.open({ ...config, cacheTtl: 5 }, scopeOf('shop'))]
  t.equal(one, same)
  t.not(one, other)
  t.not(one, remembering)
  release()
  t.equal(resources.held, 0)
})
