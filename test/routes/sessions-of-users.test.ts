import { Writable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import t from 'tap'
import { buildApp } from '../../src/app.ts'
import { fileSource } from '../../src/config/file-source.ts'
import { startGateway, storeConfig } from '../support/gateway.ts'

interface Sent { userId?: string, sessionId?: string, items: string[] }

async function send (app: FastifyInstance, { items, ...owner }: Sent): Promise<void> {
  const payload = { ...owner, eventList: items.map(itemId => ({ eventType: 'view', itemId })) }
  const { statusCode } = await app.inject({ method: 'POST', url: '/events/store', payload })
  if (statusCode !== 200) throw new Error(`status ${statusCode}`)
}

async function list (app: FastifyInstance, user: string): Promise<{ items: string[], cacheStatus: string }> {
  const { body, headers } = await app.inject(`/recommend-items/store/for-you/${user}?numResults=50`)
  const { itemList } = JSON.parse(body) as { itemList: Array<{ itemId: string }> }
  return { items: itemList.map(({ itemId }) => itemId).sort(), cacheStatus: String(headers['cache-status']) }
}

const all = ['a', 'b', 'c', 'd', 'e', 'x']

t.test('login: what a session did counts for its user, and the cached lists of both are outdated', async t => {
  const { app, dataDir, configFile } = await startGateway(t)
  await send(app, { userId: 'other', items: all })
  await send(app, { sessionId: 's1', items: ['a', 'b'] })
  await list(app, 's1')
  await list(app, 'u1')
  t.match((await list(app, 's1')).cacheStatus, /hit/)
  await send(app, { userId: 'u1', sessionId: 's1', items: ['d'] })
  const [session, user] = [await list(app, 's1'), await list(app, 'u1')]
  t.notMatch([session.cacheStatus, user.cacheStatus].join(), /; hit/)
  t.strictSame([session.items, user.items], [['c', 'e', 'x'], ['c', 'e', 'x']])
  await send(app, { sessionId: 's1', items: ['e'] })
  t.strictSame((await list(app, 'u1')).items, ['c', 'x'], 'the list of the user is outdated by an event that does not name him')
  await list(app, 'u2')
  await send(app, { userId: 'u2', sessionId: 's1', items: ['x'] })
  t.strictSame((await list(app, 'u2')).items, ['a', 'b', 'c', 'd', 'e'], 'a second person inherits nothing')
  await app.close()
  const again = await buildApp({ source: fileSource(configFile, 20), dataDir, logger: pino({ level: 'silent' }) })
  t.teardown(async () => again.close())
  await again.ready()
  await again.config.loaded
  t.strictSame((await Promise.all(['u1', 'u2', 's1'].map(async id => list(again, id)))).map(({ items }) => items), [['c', 'x'], ['a', 'b', 'c', 'd', 'e'], ['c', 'x']], 'a restart changes nothing')
})

t.test('a constant session that many users share is named once in the log, and in a metric', async t => {
  const lines: string[] = []
  const logger = pino({ level: 'warn' }, new Writable({ write (line, _encoding, done) { lines.push(String(line)); done() } }))
  const { app } = await startGateway(t, storeConfig, { logger })
  for (let i = 0; i < 8; i++) await send(app, { userId: `u${i}`, sessionId: 'undefined', items: [`own-${i}`] })
  await send(app, { userId: 'u1', sessionId: 'of-u1', items: ['a'] })
  const told = lines.map(line => JSON.parse(line) as { sessionId?: string, namespace?: string }).filter(({ sessionId }) => sessionId !== undefined)
  t.match(told, [{ sessionId: 'undefined', namespace: 'store' }])
  t.equal(told.length, 1)
  const { body } = await app.inject('/metrics')
  t.match(body, /^gateway_shared_session_events_total\{namespace="store",session="undefined"\} 5$/m)
  t.notMatch(body, /of-u1/)
})

t.test('an item inside properties is learned, and events without any item are counted by namespace', async t => {
  const { app } = await startGateway(t, { ...storeConfig, namespaces: { store: storeConfig.namespaces.store } })
  const event = async (more: object): Promise<number> => (await app.inject({ method: 'POST', url: '/events/store', payload: { userId: 'u', eventList: [{ eventType: 'View', ...more }] } })).statusCode
  const spellings = ['{"itemId":"593"}', '{"a":{"itemId":"nested"},"itemId":12345678901234567}', { itemId: 'object' }, '{"\\u0069temId":"escaped"}']
  for (const properties of spellings) t.equal(await event({ properties }), 200)
  await event({ itemId: 'top', properties: '{"itemId":"below"}' })
  t.strictSame((await list(app, 'nobody')).items, ['12345678901234567', '593', 'escaped', 'object', 'top'])
  for (const properties of ['{"itemId":""}', '{"itemId":null}', '{"itemId":["a"]}', `{"itemId":"${'x'.repeat(257)}"}`, '{"item":"a"}', undefined]) await event({ properties })
  t.match((await app.inject('/metrics')).body, /^gateway_events_without_item_total\{namespace="store"\} 6$/m)
})
