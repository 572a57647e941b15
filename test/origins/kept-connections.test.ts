import { createServer } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { startResettingServer, type ResettingServer } from '../../bench/resetting-server.ts'
import type { Origin } from '../../src/origins/origin.ts'
import { OriginError } from '../../src/origins/origin-error.ts'
import { protect } from '../../src/origins/protect.ts'
import { pointAwsAt } from '../support/aws.ts'
import { listen } from '../support/listen.ts'
import { openOrigin, requests } from '../support/open-origin.ts'

const together = 16
/** Any failure that the adapter lets through fails the request, and opens the breaker for good. */
const resilience = { retries: 0, breaker: { failures: 1, probeInterval: 600_000 } }

const providers = {
  'http GET': { variation: (url: string) => ({ type: 'http', url: `${url}/{userId}` }), rounds: 50 },
  'http POST': { variation: (url: string) => ({ type: 'http', url, method: 'POST' }), rounds: 50 },
  sagemaker: { variation: () => ({ type: 'sagemaker', endpointName: 'e' }), rounds: 10 },
  lambda: { variation: () => ({ type: 'lambda', arn: 'arn:aws:lambda:us-east-1:123456789012:function:f' }), rounds: 10 },
  'personalize-campaign': { variation: () => ({ type: 'personalize-campaign', arn: 'arn:aws:personalize:us-east-1:123456789012:campaign/c' }), rounds: 10 }
}

/** A protected origin whose provider is a resetting server. */
async function start (t: Test, variation: (url: string) => { type: string }): Promise<{ server: ResettingServer, origin: Origin }> {
  const server = await startResettingServer(together)
  t.teardown(server.close)
  pointAwsAt(t, server.url)
  return { server, origin: protect(await openOrigin(t, variation(server.url)), 'Http', resilience) }
}

/** Makes many calls at once. When it returns, the client has its connections back. @returns how the calls ended */
async function askTogether (origin: Origin): Promise<string[]> {
  const outcomes = await Promise.all(Array.from({ length: together }, async (_, i) =>
    origin.recommend({ ...requests['recommend-items'], userId: `user-${i}` }, AbortSignal.timeout(10_000))
      .then(() => 'answered', (error: unknown) => error instanceof OriginError ? error.failure : String(error))))
  for (let turn = 0; turn < 3; turn++) await nextTurn()
  return outcomes
}

const allAnswered = Array<string>(together).fill('answered')

for (const [name, { variation, rounds }] of Object.entries(providers)) {
  t.test(`${name}: kept connections that the provider resets under the calls fail none of them`, async t => {
    const { server, origin } = await start(t, variation)
    for (let round = 0; round < rounds; round++) {
      t.strictSame(await askTogether(origin), allAnswered)
      const before = server.requests()
      server.resetNext()
      t.strictSame(await askTogether(origin), allAnswered, `round ${round}`)
      t.equal(server.requests() - before, 2 * together, 'each call is repeated once')
    }
    t.equal(server.resets(), rounds * together, 'all of them were on kept connections')
  })

  t.test(`${name}: connections that the provider resets while they are idle fail no call`, async t => {
    const { server, origin } = await start(t, variation)
    for (let round = 0; round < 10; round++) {
      t.strictSame(await askTogether(origin), allAnswered)
      server.reset()
      t.strictSame(await askTogether(origin), allAnswered, `round ${round}`)
    }
  })
}

t.test('an answer that breaks off on a kept connection is not asked for again', async t => {
  let received = 0
  const server = createServer((_request, response) => {
    if (received++ === 0) return response.end('{"itemList":[]}')
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 })
    response.write('{"itemList":', () => { response.socket?.resetAndDestroy() })
  })
  const origin = await openOrigin(t, { type: 'http', url: await listen(t, server) })
  const signal = AbortSignal.timeout(10_000)
  await origin.recommend(requests['recommend-items'], signal)
  await nextTurn()
  await t.rejects(origin.recommend(requests['recommend-items'], signal), { name: 'OriginError', failure: 'unavailable' })
  t.equal(received, 2)
})
