import t from 'tap'
import { allWarningsOf } from '../../src/config/all-warnings.ts'
import { parseConfig } from '../../src/config/parse.ts'

const metrics = { clicks: { entityIdKey: 'userDetails.userId', valueKey: 'details.clicks' } }
const variations = { a: { type: 'embedded' }, b: { type: 'embedded' } }
const document = parseConfig(JSON.stringify({
  cacheControl: {},
  namespaces: {
    shop: {
      recommenders: {
        'recommend-items': {
          home: { variations, experiments: { 'x.y': { method: 'evidently', project: 'p', metrics } } },
          other: { variations, experiments: { flag: { method: 'appconfig', application: 'a', environment: 'e', profile: 'p' } } }
        },
        'related-items': { similar: { variations, experiments: { z: { method: 'evidently', project: 'p', metrics } } } }
      }
    }
  }
}), 'test')

t.test('each experiment of Evidently is warned of, unless the process has an endpoint for it', async t => {
  const message = 'evidently ended on 16 October 2025; evaluated as weighted with equal weights, since EVIDENTLY_ENDPOINT is not set'
  t.strictSame((await allWarningsOf(document)).filter(line => line.includes('evidently')), [
    `/namespaces/shop/recommenders/recommend-items/home/experiments/x.y/method: ${message}`,
    `/namespaces/shop/recommenders/related-items/similar/experiments/z/method: ${message}`
  ])
  t.strictSame((await allWarningsOf(document, { evidentlyEndpoint: 'http://localhost:4566' })).filter(line => line.includes('evidently')), [])
})

t.test('workers without Redis are warned of once, since each counts experiments alone', async t => {
  const apart = (lines: string[]): string[] => lines.filter(line => line.includes('WORKERS'))
  t.strictSame(apart(await allWarningsOf(document)), [])
  t.strictSame(apart(await allWarningsOf(document, { countsApart: true })), ['/namespaces/shop/recommenders/recommend-items/home/experiments/x.y: each of the WORKERS counts its experiments alone, since REDIS_URL is not set: a report shows the counts of the worker that answers it'])
  const untested = parseConfig(JSON.stringify({ cacheControl: {}, namespaces: { shop: { recommenders: { 'recommend-items': { home: { variations } } } } } }), 'test')
  t.strictSame(apart(await allWarningsOf(untested, { countsApart: true })), [])
})
