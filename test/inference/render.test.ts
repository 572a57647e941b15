import t from 'tap'
import { renderBody } from '../../src/inference/render.ts'

const parsed = (text: string): unknown => JSON.parse(text)
const none = new Map<string, string>()

t.test('each action has the name of its list', async t => {
  const items = [{ itemId: 'a', score: 0.5 }]
  t.equal(renderBody('recommend-items', { items }, none), '{"itemList":[{"itemId":"a","score":0.5}]}')
  t.equal(renderBody('related-items', { items }, none), '{"itemList":[{"itemId":"a","score":0.5}]}')
  t.equal(renderBody('rerank-items', { items }, none), '{"personalizedRanking":[{"itemId":"a","score":0.5}]}')
})

t.test('an empty answer is an empty list', async t => {
  t.equal(renderBody('recommend-items', { items: [] }, none), '{"itemList":[]}')
})

t.test('metadata is put in as the store holds it', async t => {
  const metadata = new Map([['a', '{"title":"A", "price": 1.50}']])
  t.equal(renderBody('recommend-items', { items: [{ itemId: 'a' }, { itemId: 'b' }] }, metadata),
    '{"itemList":[{"itemId":"a","metadata":{"title":"A", "price": 1.50}},{"itemId":"b"}]}', 'an item that the store does not have stays, undecorated')
})

t.test('the metadata of the store takes the place of the metadata of the provider', async t => {
  const items = [{ metadata: { of: 'provider' }, itemId: 'a', score: 1 }, { itemId: 'b', metadata: { of: 'provider' } }]
  const text = renderBody('recommend-items', { items }, new Map([['a', '{"of":"store"}']]))
  t.strictSame(parsed(text), { itemList: [{ itemId: 'a', score: 1, metadata: { of: 'store' } }, { itemId: 'b', metadata: { of: 'provider' } }] })
  t.equal(text.match(/"metadata"/g)?.length, 2, 'and none is there twice')
  t.strictSame(items[0]!.metadata, { of: 'provider' }, 'the answer itself is not changed')
})

t.test('what else the provider says of an item passes through, and so does the id of the list', async t => {
  const answer = { items: [{ itemId: 'a', reason: ['popular'], promotionName: 'spring' }], recommendationId: 'r"1' }
  t.strictSame(parsed(renderBody('recommend-items', answer, new Map([['a', '{}']]))), {
    itemList: [{ itemId: 'a', reason: ['popular'], promotionName: 'spring', metadata: {} }],
    recommendationId: 'r"1'
  })
})

t.test('ids are escaped', async t => {
  const itemId = '"\\\u2028\n</script>🧦'
  t.strictSame(parsed(renderBody('recommend-items', { items: [{ itemId }] }, new Map([[itemId, '{"x":1}']]))), { itemList: [{ itemId, metadata: { x: 1 } }] })
})

t.test('ratings are numbers in the order asked, or null where there is none', async t => {
  t.strictSame(parsed(renderBody('predicted-ratings', { items: [], ratings: [4.5, null, 0] }, none)), { ratings: [4.5, null, 0] })
  t.equal(renderBody('predicted-ratings', { items: [], ratings: [] }, none), '{"ratings":[]}')
})
