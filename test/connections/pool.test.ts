import t, { type Test } from 'tap'
import { createPool } from '../../src/connections/pool.ts'
import { eventually } from '../support/eventually.ts'

interface Thing { name: string }

function pooled (t: Test, grace?: number) {
  const opened: Thing[] = []
  const shut: Thing[] = []
  const errors: unknown[] = []
  const pool = createPool({ onError: error => errors.push(error), ...(grace === undefined ? {} : { grace }) })
  t.teardown(pool.close)
  const close = (thing: Thing): void => { shut.push(thing) }
  const acquire = async (name: string) => pool.acquire(name, async () => {
    const thing = { name }
    opened.push(thing)
    return thing
  }, close)
  return { pool, opened, shut, errors, close, acquire }
}

t.test('what is open under a key is shared, also when it is asked for at once', async t => {
  const { acquire, opened } = pooled(t)
  const [one, same, other] = await Promise.all([acquire('a'), acquire('a'), acquire('b')])
  t.equal(one.value, same.value)
  t.not(one.value, other.value)
  t.equal((await acquire('a')).value, one.value)
  t.equal(opened.length, 2)
})

t.test('it is closed after the grace, once nobody holds it', async t => {
  const { acquire, shut } = pooled(t, 1)
  const [one, other] = await Promise.all([acquire('a'), acquire('a')])
  one.release()
  one.release()
  const probe = await acquire('probe')
  probe.release()
  await eventually('the probe is closed', () => shut.includes(probe.value))
  t.notOk(shut.includes(one.value), 'releasing twice is releasing once: the other still holds it')
  other.release()
  await eventually('it is closed', () => shut.includes(one.value))
  t.equal(shut.length, 2)
  t.not((await acquire('a')).value, one.value, 'and opened anew for the next')
})

t.test('who comes within the grace gets the same one, and it stays open', async t => {
  const { acquire, shut, opened } = pooled(t, 20)
  const first = await acquire('a')
  first.release()
  const again = await acquire('a')
  t.equal(again.value, first.value)
  const probe = await acquire('probe')
  probe.release()
  await eventually('the grace is over for another', () => shut.includes(probe.value))
  t.notOk(shut.includes(again.value))
  t.equal(opened.length, 2)
})

t.test('who comes while it is being closed waits, and gets a new one', async t => {
  const { pool } = pooled(t, 0)
  const order: string[] = []
  let end = (): void => {}
  const ending = new Promise<void>(resolve => { end = resolve })
  const open = (name: string) => async () => { order.push(`open ${name}`); return name }
  const first = await pool.acquire('a', open('first'), async () => { order.push('closing'); await ending; order.push('closed') })
  first.release()
  await eventually('it is being closed', () => order.includes('closing'))
  const next = Promise.all([pool.acquire('a', open('next'), () => {}), pool.acquire('a', open('no other'), () => {})])
  end()
  t.strictSame((await next).map(({ value }) => value), ['next', 'next'])
  t.strictSame(order, ['open first', 'closing', 'closed', 'open next'])
})

t.test('a failed opening leaves nothing behind, for all who waited', async t => {
  const { pool, acquire, shut, close } = pooled(t)
  const failing = async () => pool.acquire<Thing>('a', async () => { throw new Error('no') }, close)
  const results = await Promise.allSettled([failing(), failing()])
  t.ok(results.every(({ status }) => status === 'rejected'))
  const one = await acquire('a')
  t.equal((await acquire('a')).value, one.value)
  await t.rejects(pool.acquire<Thing>('b', () => { throw new Error('at once') }, close), { message: 'at once' })
  t.equal((await acquire('b')).value.name, 'b')
  t.strictSame(shut, [])
})

t.test('closing closes everything, held or not, once', async t => {
  const { pool, acquire, shut } = pooled(t)
  const [held, released] = [await acquire('held'), await acquire('released')]
  released.release()
  await pool.close()
  t.strictSame(shut.map(({ name }) => name).sort(), ['held', 'released'])
  held.release()
  await pool.close()
  t.equal(shut.length, 2)
})

t.test('after closing nothing can be acquired', async t => {
  const { pool, acquire, opened } = pooled(t)
  await pool.close()
  await t.rejects(acquire('a'))
  t.equal(opened.length, 0)
})

t.test('closing waits for what is being opened, and for closing itself', async t => {
  const { pool } = pooled(t)
  const order: string[] = []
  const opening = pool.acquire('a', async () => { await Promise.resolve(); order.push('open') }, async () => { await Promise.resolve(); order.push('shut') })
  await pool.close()
  order.push('closed')
  await opening
  t.strictSame(order, ['open', 'shut', 'closed'])
})

t.test('what needs others to close is closed before them, the rest side by side', async t => {
  const { pool } = pooled(t)
  const order: string[] = []
  const open = async (name: string, first: boolean, closing: Promise<void>) => pool.acquire(name, async () => name, async () => {
    order.push(`closing ${name}`)
    await closing
    order.push(`closed ${name}`)
  }, { first })
  let end = (): void => {}
  const ended = new Promise<void>(resolve => { end = resolve })
  await open('client', false, Promise.resolve())
  await open('slow queue', true, ended)
  await open('queue', true, Promise.resolve())
  const closing = pool.close()
  await eventually('one is closed', () => order.includes('closed queue'))
  t.strictSame(order, ['closing slow queue', 'closing queue', 'closed queue'])
  end()
  await closing
  t.strictSame(order.slice(3), ['closed slow queue', 'closing client', 'closed client'])
})

t.test('one thing that fails to close keeps no other open, and is told', async t => {
  const { pool, acquire, shut, errors } = pooled(t)
  await pool.acquire('bad', async () => 'bad', async () => { throw new Error('stuck') })
  const good = await acquire('good')
  await pool.close()
  t.strictSame(shut, [good.value])
  t.match(errors, [{ message: 'stuck' }])
})
