import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import t from 'tap'
import { buildApp } from '../../src/app.ts'
import { fileSource } from '../../src/config/file-source.ts'
import { addTarget, deadTarget, recordingTarget } from '../support/event-targets.ts'
import { startGateway } from '../support/gateway.ts'

const view = (itemId: string, eventId: string): object => ({ eventType: 'view', itemId, eventId })

async function send (app: FastifyInstance, payload: object, path = '/events/store'): Promise<{ status: number, missing: unknown }> {
  const { statusCode, body } = await app.inject({ method: 'POST', url: path, payload })
  return { status: statusCode, missing: (JSON.parse(body) as { missing?: unknown }).missing }
}

/** The items that somebody saw: those that are left out of the list. */
async function seen (app: FastifyInstance, userId: string, items: string[]): Promise<string[]> {
  const { itemList } = (await app.inject(`/recommend-items/store/for-you/${userId}`)).json<{ itemList: Array<{ itemId: string }> }>()
  return items.filter(item => !itemList.some(({ itemId }) => itemId === item))
}

t.test('an eventId of another user, or a counter per session, is no repetition', async t => {
  const { app } = await startGateway(t)
  const target = recordingTarget()
  addTarget(app, 'store', 'one', target)
  const items = ['a', 'b', 'c', 'd', 'e']
  await send(app, { userId: 'other', eventList: items.map((item, i) => view(item, `o${i}`)) })
  const bodies = [{ userId: 'u1', item: 'a' }, { userId: 'u2', item: 'b' }, { sessionId: 's1', item: 'c' }, { sessionId: 's2', item: 'd' }, { userId: 's1x', sessionId: 's1', item: 'e' }]
  for (let round = 0; round < 2; round++) {
    for (const { item, ...owner } of bodies) t.match(await send(app, { ...owner, eventList: [view(item, '1')] }), { status: 200 })
  }
  t.strictSame(target.events.slice(items.length).map(({ itemId }) => itemId), items, 'each target has each of them, once')
  t.strictSame(await Promise.all(['u1', 'u2', 's2'].map(async user => seen(app, user, items))), [['a'], ['b'], ['d']])
})

t.test('an eventId of another user in the same batch is no repetition, and each is told of its own event', async t => {
  const { app } = await startGateway(t)
  const [good, dead] = [recordingTarget(), deadTarget()]
  addTarget(app, 'store', 'good', good)
  addTarget(app, 'store', 'dead', dead)
  const batch = [{ userId: 'u1', eventList: [view('a', '1')] }, { userId: 'u2', eventList: [view('b', '1'), view('b', '1')] }, { sessionId: 'u1', eventList: [view('c', '1')] }]
  t.match(await send(app, batch, '/events/store/batch'), { status: 207 })
  dead.answer = async () => undefined
  t.match(await send(app, batch, '/events/store/batch'), { status: 200 })
  t.strictSame(good.events.map(({ itemId }) => itemId), ['a', 'b', 'c'])
  t.strictSame(dead.events.map(({ itemId }) => itemId), ['a', 'b', 'c', 'a', 'b', 'c'])
})

t.test('an eventId of another user that is under way is no repetition', async t => {
  const { app } = await startGateway(t)
  const target = recordingTarget()
  addTarget(app, 'store', 'one', target)
  await Promise.all(['u1', 'u2', 'u1', 'u2'].map(async userId => send(app, { userId, eventList: [view(userId, '7')] })))
  t.strictSame(target.events.map(({ itemId }) => itemId).sort(), ['u1', 'u2'])
})

t.test('an eventId is known by its owner after a restart', async t => {
  const { app: before, dataDir, configFile } = await startGateway(t)
  await send(before, { userId: 'other', eventList: [view('a', '0'), view('b', '1')] })
  await send(before, { userId: 'u1', eventList: [view('a', '1')] })
  await before.close()
  const app = await buildApp({ source: fileSource(configFile, 20), dataDir, logger: pino({ level: 'silent' }) })
  t.teardown(async () => app.close())
  await app.ready()
  await app.config.loaded
  const shares = async (): Promise<unknown> => (await app.inject('/recommend-items/store/for-you/nobody')).json<{ itemList: unknown }>().itemList
  const known = await shares()
  await send(app, { userId: 'u1', eventList: [view('a', '1')] })
  t.same(await shares(), known, 'the same user sends it again: it counts once')
  await send(app, { userId: 'u2', eventList: [view('b', '1')] })
  t.strictSame(await seen(app, 'u2', ['a', 'b']), ['b'])
})
