import t from 'tap'
import { pointAwsAt, startAws } from '../support/aws.ts'
import { startHttpRecommender } from '../support/http-recommender.ts'
import { ask, startShop, withoutId } from '../support/shop.ts'

const resilience = { retries: 0, breaker: { failures: 1000 }, timeout: 5000 }
const predicted = (variation: object): object => ({ variations: { v: variation }, resilience })
const ratings = (items: string): string => `/predicted-ratings/shop/r/user-7?items=${items}`

const object2vec = {
  type: 'sagemaker',
  endpointName: 'object2vec',
  request: '{"instances": [itemIds.{"in0": [$request.userId], "in1": [$]}]}',
  response: '{"ratings": [predictions.($exists(scores) ? scores[0] : null)]}'
}

t.test('Object2Vec: pairs there, scores back', async t => {
  const received: unknown[] = []
  const stars: Record<string, number> = { a: 4.5, b: 1, c: 3.25 }
  const { aws } = await startAws(t, {
    endpoints: {
      object2vec (payload) {
        received.push(payload)
        return { predictions: (payload as { instances: Array<{ in1: [string] }> }).instances.map(({ in1: [item] }) => item in stars ? { scores: [stars[item]] } : {}) }
      }
    }
  })
  const app = await startShop(t, { 'predicted-ratings': { r: predicted(object2vec) } })
  const pair = (item: string): object => ({ in0: ['user-7'], in1: [item] })

  t.match(await ask(app, ratings('c,a,b')), { status: 200, body: { ratings: [3.25, 4.5, 1] } }, 'in the order asked')
  t.match(await ask(app, ratings('b,c,a')), { status: 200, body: { ratings: [1, 3.25, 4.5] } })
  t.match(await ask(app, ratings('a,a')), { status: 200, body: { ratings: [4.5, 4.5] } })
  const single = await ask(app, ratings('a'))
  t.strictSame([single.status, withoutId(single.body)], [200, { ratings: [4.5] }], 'a single item is a list of one')
  const missing = await ask(app, ratings('a,unknown,b'))
  t.strictSame([missing.status, withoutId(missing.body)], [200, { ratings: [4.5, null, 1] }], 'what the model does not know is null')
  const none = await ask(app, ratings('unknown'))
  t.strictSame([none.status, withoutId(none.body)], [200, { ratings: [null] }])

  t.strictSame(received, [['c', 'a', 'b'], ['b', 'c', 'a'], ['a', 'a'], ['a'], ['a', 'unknown', 'b'], ['unknown']].map(items => ({ instances: items.map(pair) })))
  t.match(aws.requests.of('sagemaker-runtime')[0], { method: 'POST', path: '/endpoints/object2vec/invocations', headers: { 'content-type': 'application/json', accept: 'application/json' } })
})

t.test('Object2Vec as the documentation has it, with nothing for what is missing, is as long as what was asked or no answer', async t => {
  const response = '{"ratings": [predictions.scores[0]]}'
  let says: unknown
  await startAws(t, { endpoints: { object2vec: () => says } })
  const app = await startShop(t, { 'predicted-ratings': { r: predicted({ ...object2vec, response }) } })
  says = { predictions: [{ scores: [1] }, { scores: [2] }, { scores: [3] }] }
  t.match(await ask(app, ratings('a,b,c')), { status: 200, body: { ratings: [1, 2, 3] } })
  const invalid = { status: 502, body: { code: 'SageMakerInvalidAnswer' } }
  t.match(await ask(app, ratings('a,b')), invalid, 'too many')
  t.match(await ask(app, ratings('a,b,c,d')), invalid, 'too few')
  says = { predictions: [{ scores: [1] }, {}, { scores: [3] }] }
  t.match(await ask(app, ratings('a,b,c')), invalid, 'nobody knows whose is missing')
  says = { predictions: [{ scores: ['high'] }, { scores: [null] }, { scores: [Number.MAX_VALUE] }] }
  t.strictSame(withoutId((await ask(app, ratings('a,b,c'))).body), { ratings: [null, null, Number.MAX_VALUE] }, 'what is no number is no rating')
})

t.test('Factorization Machines: one-hot features there, scores back', async t => {
  const received: unknown[] = []
  await startAws(t, {
    endpoints: {
      fm (payload) {
        received.push(payload)
        return { predictions: [{ score: 0.4, predicted_label: 0 }, { score: 0.9, predicted_label: 1 }] }
      }
    }
  })
  const request = `{"instances": [itemIds.{"data": {"features": {
    "keys": [$number($substringAfter($request.userId, "-")), 1000 + $number($substringAfter($, "-"))],
    "shape": [3000],
    "values": [1, 1]
  }}}]}`
  const app = await startShop(t, { 'predicted-ratings': { r: predicted({ type: 'sagemaker', endpointName: 'fm', request, response: '{"ratings": [predictions.score]}' }) } })
  t.match(await ask(app, ratings('item-12,item-3')), { status: 200, body: { ratings: [0.4, 0.9] } })
  const features = (item: number): object => ({ data: { features: { keys: [7, 1000 + item], shape: [3000], values: [1, 1] } } })
  t.strictSame(received, [{ instances: [features(12), features(3)] }])
})

t.test('XGBoost: CSV both ways', async t => {
  const server = await startHttpRecommender(t)
  pointAwsAt(t, server.url)
  const csv = {
    request: '$join(itemIds.($substringAfter($request.userId, "-") & "," & $substringAfter($, "-")), "\\n")',
    // $trim makes one space of any white space.
    response: '{"ratings": [$split($trim($replace($, ",", " ")), " ").$number()]}'
  }
  const app = await startShop(t, {
    'predicted-ratings': {
      r: predicted({ type: 'sagemaker', endpointName: 'xgboost', ...csv, contentType: 'text/csv', accept: 'text/csv' }),
      'over-http': predicted({ type: 'http', url: `${server.url}/invocations`, method: 'POST', headers: { 'content-type': 'text/csv', accept: 'text/csv' }, ...csv })
    }
  })
  for (const path of [ratings('item-3,item-12'), ratings('item-3,item-12').replace('/r/', '/over-http/')]) {
    for (const answer of ['0.25\n4.5\n', '0.25\n4.5', '0.25,4.5']) {
      server.answer(() => ({ headers: { 'content-type': 'text/csv; charset=utf-8' }, body: answer }))
      const { status, body } = await ask(app, path)
      t.strictSame([status, withoutId(body)], [200, { ratings: [0.25, 4.5] }], JSON.stringify(answer))
      const { body: sent, headers } = server.received.at(-1)!
      t.equal(sent, '7,3\n7,12')
      t.equal(headers['content-type'], 'text/csv')
      t.equal(headers.accept, 'text/csv')
    }
    server.answer(() => ({ headers: { 'content-type': 'text/csv' }, body: '3.5' }))
    t.strictSame(withoutId((await ask(app, path.replace(/items=.*/, 'items=item-3'))).body), { ratings: [3.5] }, 'a single row')
    server.answer(() => ({ headers: { 'content-type': 'text/csv' }, body: 'not a number' }))
    t.match(await ask(app, path), { status: 502, body: { code: /InvalidAnswer$/ } })
  }
})

t.test('a model behind TorchServe: pairs of id and score', async t => {
  const server = await startHttpRecommender(t)
  const variation = {
    type: 'http',
    url: `${server.url}/predictions/{recommender}/1.0`,
    method: 'POST',
    request: '{"data": [{"user": userId, "k": numResults, "device": context.device}]}',
    response: '{"itemList": [$[0].{"itemId": $[0], "score": $[1]}]}'
  }
  const app = await startShop(t, { 'recommend-items': { r: predicted(variation) } })
  for (const k of [3, 1]) {
    server.answer(() => ({ body: [[['item-9', 0.9], ['item-2', 0.5], ['item-4', 0.1]].slice(0, k)] }))
    const { status, body } = await ask(app, `/recommend-items/shop/r/user-7?numResults=${k}&context={"device":"tv"}`)
    t.strictSame([status, withoutId(body)], [200, { itemList: [{ itemId: 'item-9', score: 0.9 }, { itemId: 'item-2', score: 0.5 }, { itemId: 'item-4', score: 0.1 }].slice(0, k) }])
    t.match(server.received.at(-1), { method: 'POST', path: '/predictions/r/1.0', body: { data: [{ user: 'user-7', k, device: 'tv' }] } })
  }
  await ask(app, '/recommend-items/shop/r/user-7')
  t.strictSame(server.received.at(-1)!.body, { data: [{ user: 'user-7', k: 25 }] }, 'what is absent is missing')
})

t.test('a model behind Triton: tensors', async t => {
  const received: unknown[] = []
  await startAws(t, {
    endpoints: {
      triton (payload) {
        received.push(payload)
        const { data } = (payload as { inputs: Array<{ data: string[] }> }).inputs[1]!
        return { model_name: 'ranker', outputs: [{ name: 'scores', shape: [1, data.length], datatype: 'FP32', data: data.map(item => Number(item.slice(5)) / 10) }] }
      }
    }
  })
  const variation = {
    type: 'sagemaker',
    endpointName: 'triton',
    request: `{"inputs": [
      {"name": "user", "shape": [1, 1], "datatype": "BYTES", "data": [userId]},
      {"name": "items", "shape": [1, $count(itemIds)], "datatype": "BYTES", "data": [itemIds]}
    ]}`,
    response: `(
      $scores := [outputs[name = "scores"].data];
      {"personalizedRanking": [$map($request.itemIds, function($id, $i) {{"itemId": $id, "score": $scores[$i]}})^(>score)]}
    )`
  }
  const app = await startShop(t, { 'rerank-items': { r: predicted(variation) } })
  const ranked = await ask(app, '/rerank-items/shop/r/user-7/item-2,item-9,item-5')
  t.strictSame([ranked.status, withoutId(ranked.body)], [200, { personalizedRanking: [{ itemId: 'item-9', score: 0.9 }, { itemId: 'item-5', score: 0.5 }, { itemId: 'item-2', score: 0.2 }] }])
  const single = await ask(app, '/rerank-items/shop/r/user-7/item-2')
  t.strictSame([single.status, withoutId(single.body)], [200, { personalizedRanking: [{ itemId: 'item-2', score: 0.2 }] }])
  const tensors = (items: string[]): object => ({
    inputs: [
      { name: 'user', shape: [1, 1], datatype: 'BYTES', data: ['user-7'] },
      { name: 'items', shape: [1, items.length], datatype: 'BYTES', data: items }
    ]
  })
  t.strictSame(received, [tensors(['item-2', 'item-9', 'item-5']), tensors(['item-2'])])
})
