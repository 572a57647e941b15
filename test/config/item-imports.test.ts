import t from 'tap'
import { itemImportsOf } from '../../src/config/item-imports.ts'
import { parseConfig } from '../../src/config/parse.ts'

const importsOf = (document: object, namespace = 'shop') => itemImportsOf(parseConfig(JSON.stringify(document), 'test'), namespace)
const shop = (more: object, variation: object = {}, recommender: object = {}): object =>
  ({ namespaces: { shop: { ...more, recommenders: { 'recommend-items': { home: { ...recommender, variations: { v: { type: 'embedded', ...variation } } } } } } } })
const localdb = { type: 'localdb', syncInterval: 60 }
const personalize = { type: 'personalize' }

t.test('a store is found at whatever level it is named', async t => {
  const expected = [{ namespace: 'shop', config: localdb, syncInterval: 60 }]
  t.strictSame(importsOf({ ...shop({}), inferenceItemMetadata: localdb }), expected)
  t.strictSame(importsOf(shop({ inferenceItemMetadata: localdb })), expected)
  t.strictSame(importsOf(shop({}, {}, { inferenceItemMetadata: localdb })), expected)
  t.strictSame(importsOf(shop({}, { inferenceItemMetadata: localdb })), expected)
  t.strictSame(importsOf({ inferenceItemMetadata: localdb, namespaces: { shop: {} } }), expected, 'also where nothing is decorated yet')
})

t.test('each type is named once, by the outermost', async t => {
  t.strictSame(importsOf(shop({ inferenceItemMetadata: localdb }, { inferenceItemMetadata: { type: 'localdb' } })), [{ namespace: 'shop', config: localdb, syncInterval: 60 }])
})

t.test('without an interval it is five minutes', async t => {
  t.match(importsOf(shop({ inferenceItemMetadata: { type: 'localdb' } })), [{ syncInterval: 300 }])
})

t.test('stores that the gateway does not fill, other namespaces and unknown ones are none', async t => {
  t.strictSame(importsOf({ ...shop({ inferenceItemMetadata: personalize }), inferenceItemMetadata: localdb }), [])
  t.strictSame(importsOf(shop({})), [])
  t.strictSame(importsOf(shop({ inferenceItemMetadata: localdb }), 'other'), [])
})
