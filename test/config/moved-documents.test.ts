import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { allWarningsOf } from '../../src/config/all-warnings.ts'
import { namespacesOf, recommendersOf, variationsOf } from '../../src/config/elements.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { startAws } from '../support/aws.ts'
import { withEnvironment } from '../support/environment.ts'
import { startGateway } from '../support/gateway.ts'

/** Documents with the structure of those of the AWS sample: its three samples, those in its documentation, and that of its Lambda example. */
const folder = 'test/fixtures/moved'
const expected = JSON.parse(readFileSync('test/fixtures/moved-warnings.json', 'utf8')) as Record<string, string[]>
const subjects = { 'recommend-items': 'user-1', 'related-items': 'item-1', 'rerank-items': 'user-1/item-1,item-2', 'predicted-ratings': 'user-1?items=item-1' }

withEnvironment(t, { AWS_REGION: 'us-east-1' })

t.test('there are as many documents as the sample has', async t => {
  t.equal(readdirSync(folder).length, 21)
  t.strictSame(Object.keys(expected).sort(), readdirSync(folder).sort())
})

for (const name of readdirSync(folder)) {
  t.test(`a document that moves over from the AWS sample is accepted, with warnings where something has no effect, and serves: ${name}`, async t => {
    const document = parseConfig(readFileSync(`${folder}/${name}`, 'utf8'), name)
    t.strictSame(await allWarningsOf(document), expected[name])
    await startAws(t, { functions: { 'Pick-By-Hand': () => ({ itemList: [{ itemId: 'item-1' }] }) } })
    const { app } = await startGateway(t, JSON.parse(readFileSync(`${folder}/${name}`, 'utf8')) as object)
    for (const recommender of recommendersOf(document)) {
      const { statusCode, body } = await app.inject(`/${recommender.action}/${recommender.namespace}/${recommender.name}/${subjects[recommender.action]}`)
      t.equal(statusCode, variationsOf(recommender).length > 0 ? 200 : 404, body)
    }
    for (const { name, value } of namespacesOf(document)) {
      t.equal((await app.inject(`/recommend-items/${name}/nothing/user-1`)).statusCode, 404)
      if (value.eventTargets === undefined) continue
      const payload = { sessionId: 's', userId: 'u', eventList: [{ eventType: 'view', itemId: 'item-1', sentAt: 1_700_000_000 }] }
      t.equal((await app.inject({ method: 'POST', url: `/events/${name}`, payload })).statusCode, 200)
    }
  })
}
