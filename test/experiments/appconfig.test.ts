import t, { type Test } from 'tap'
import { isExposed } from '../../src/experiments/experiment.ts'
import { experimentMethodContract, openExperiment, type OpenExperiment } from '../contracts/experiment-method.ts'
import { eventually } from '../support/eventually.ts'
import { startHttpRecommender, type HttpRecommender } from '../support/http-recommender.ts'
import { startRawServer } from '../support/raw-server.ts'

const config = { method: 'appconfig', application: 'shop app', environment: 'prod/eu', profile: 'flags' }

experimentMethodContract({
  name: 'appconfig',
  misbehaviours: ['hang', 'stall', 'reset', 'html-502', 'empty-503', 'truncated-json', 'no-object', 'no-variation', '400', '404', '429', '500'],
  async start (t) {
    const agent = await startHttpRecommender(t)
    const flag = { body: { _variant: '__t1__', enabled: true, variation: 'b' } }
    agent.answer(() => flag)
    return {
      config,
      resources: { appConfigAgentUrl: agent.url },
      misbehave (how) {
        const odd: Record<string, object> = { 'no-object': { body: '["b"]' }, 'no-variation': { body: { enabled: true, _variant: '__t1__', variation: 'c' } } }
        agent.release()
        agent.answer(() => odd[how ?? ''] as typeof flag | undefined ?? flag)
        agent.misbehave(how === undefined || how in odd ? undefined : how as Parameters<HttpRecommender['misbehave']>[0])
      },
      calls: () => agent.received.length
    }
  }
})

async function start (t: Test, body: object, more: object = {}): Promise<OpenExperiment & { agent: HttpRecommender }> {
  const agent = await startHttpRecommender(t)
  agent.answer(() => ({ body }))
  const opened = await openExperiment(t, { config: { ...config, ...more }, resources: { appConfigAgentUrl: agent.url } })
  await eventually('the agent is asked in time', async () => (await opened.assign('first')).why !== 'unavailable' || opened.logged.some(line => line.includes('names no variation')))
  return { ...opened, agent }
}

t.test('the attribute names the variation, or else the variant does; a flag without a variant does not count', async t => {
  for (const [flag, expected, more] of [
    [{ _variant: '__t1__', enabled: true, variation: 'b' }, { variation: 'b', why: 'assigned', details: { variant: '__t1__' } }],
    [{ _variant: '__c__', enabled: true, variation: 'a' }, { variation: 'a', why: 'assigned', details: { variant: '__c__' } }],
    [{ _variant: 'b', enabled: true }, { variation: 'b', why: 'assigned', details: { variant: 'b' } }],
    [{ _variant: 'b', enabled: true, variation: 'x' }, { variation: 'b', why: 'assigned', details: { variant: 'b' } }],
    [{ _variant: 'b', enabled: true, variation: 1 }, { variation: 'b', why: 'assigned', details: { variant: 'b' } }],
    [{ _variant: 'a', enabled: true, ranker: 'b' }, { variation: 'b', why: 'assigned', details: { variant: 'a' } }, { attribute: 'ranker' }],
    [{ enabled: true, variation: 'b' }, { variation: 'b', why: 'not-in-experiment' }],
    [{ _variant: 'b', enabled: false, variation: 'b' }, { variation: undefined, why: 'not-running' }],
    [{ enabled: false }, { variation: undefined, why: 'not-running' }],
    [{ _variant: '__t1__', enabled: true }, { variation: undefined, why: 'unavailable' }],
    [{ layout: { enabled: true, variation: 'b' } }, { variation: undefined, why: 'unavailable' }],
    [{ enabled: true, variation: 'b' }, { variation: undefined, why: 'unavailable' }, { attribute: 'constructor' }]
  ] as const) {
    const { assign } = await start(t, flag, more)
    const assignment = await assign('u')
    t.match(assignment, expected, JSON.stringify(flag))
    t.equal(isExposed(assignment), expected.why === 'assigned')
  }
})

t.test('the agent is asked for the flag of the feature, or for the flag that is named', async t => {
  for (const [more, flag] of [[{}, 'layout'], [{ flag: 'a&b=1 ü' }, 'a%26b%3D1%20%C3%BC']] as const) {
    const { agent } = await start(t, { enabled: true, _variant: 'b' }, more)
    t.equal(agent.received[0]!.path, `/applications/shop%20app/environments/prod%2Feu/configurations/flags?flag=${flag}`)
    t.equal(agent.received[0]!.method, 'GET')
  }
})

t.test('the id and the context go into headers, whatever their text', async t => {
  const raw = await startRawServer(t, { enabled: true, _variant: 'b' })
  const { assign } = await openExperiment(t, { config, resources: { appConfigAgentUrl: `${raw.url}/agent/` } })
  const headersFor = async (userId: string, context?: Record<string, string>): Promise<Record<string, string>> => {
    const before = raw.heads.length
    await assign(userId, context)
    await eventually('the agent is asked', () => raw.heads.length > before)
    const [line, ...headers] = raw.heads.at(-1)!.split('\r\n')
    t.match(line, /^GET \/agent\/applications\//)
    return Object.fromEntries(headers.map(header => header.split(/: (.*)/s).slice(0, 2) as [string, string]).map(([name, value]) => [name.toLowerCase(), value]))
  }
  for (const [userId, sent] of [['user-1', 'user-1'], ['a b,c', 'a b,c'], ['a\r\nx-evil: 1', 'a%0D%0Ax-evil: 1'], ['Zoë', 'Zo%C3%AB'], ['🦊', '%F0%9F%A6%8A'], ['100%', '100%25'], [' a ', '%20a%20'], ['\ud800', '%EF%BF%BD']] as const) {
    const headers = await headersFor(userId)
    t.equal(headers['entity-id'], sent, JSON.stringify(userId))
    t.notOk('context' in headers || 'x-evil' in headers)
  }
  t.equal((await headersFor('c', { device: 'mobile', city: 'New York', rate: '50%', 'a=b': 'x,y=z', zone: 'Zürich\n' })).context, 'device=mobile,city=New York,rate=50%,a%3Db=x%2Cy=z,zone=Z%C3%BCrich%0A')
  t.equal((await headersFor('d', { first: 'x', second: 'ü'.repeat(3_000), third: 'y' })).context, 'first=x', 'a context that is too long is cut')
})

t.test('another context is another question', async t => {
  const { assign, agent } = await start(t, { enabled: true, _variant: 'b' })
  agent.received.length = 0
  for (const device of ['mobile', 'tv', 'mobile', 'tv']) await assign('u', { device })
  t.equal(agent.received.length, 2)
})

t.test('an answer of the agent is remembered for two seconds', async t => {
  let now = 0
  const agent = await startHttpRecommender(t)
  agent.answer(() => ({ body: { enabled: true, _variant: 'b' } }))
  const { assign } = await openExperiment(t, { config, resources: { appConfigAgentUrl: agent.url, steady: () => now } })
  await eventually('the agent answers in time', async () => (await assign('u')).why === 'assigned')
  agent.answer(() => ({ body: { enabled: true, _variant: 'a' } }))
  now = 1_999
  t.match(await assign('u'), { variation: 'b' })
  now = 2_000
  t.match(await assign('u'), { variation: 'a' })
})
