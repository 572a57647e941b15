import t, { type Test } from 'tap'
import { createAnnouncements, type Announcements } from '../../src/cache/announcements.ts'
import { eventually } from '../support/eventually.ts'

interface Instance extends Announcements {
  /** What it has heard of others, slot by slot. */
  heard: number[]
  /** Keeps what comes for it until `resume`. */
  pause: () => void
  resume: () => void
}

/** Instances on a bus that carries messages in order, at once, unless one of them does not listen just then. */
async function bus (names: string[], lease: number): Promise<{ instances: [Instance, Instance, Instance], messages: string[] }> {
  const messages: string[] = []
  const instances = new Map<string, Instance & { take: (channel: string, message: string) => void }>()
  const publish = async (channel: string, message: string): Promise<number> => {
    messages.push(`${channel} ${message}`)
    const to = [...instances.values()].filter(({ confirmations }) => channel === 'all' || channel === confirmations)
    for (const instance of to) instance.take(channel, message)
    return to.length
  }
  for (const name of names) {
    const heard: number[] = []
    const announcements = createAnnouncements({ instance: name, channel: 'all', publish, lease, onEvents (slots) { heard.push(...slots) } })
    let kept: Array<() => void> | undefined
    const handle = announcements.take
    instances.set(name, {
      ...announcements,
      heard,
      take (channel, message) {
        if (kept === undefined) handle(channel, message)
        else kept.push(() => { handle(channel, message) })
      },
      pause () { kept = [] },
      resume () {
        const missed = kept ?? []
        kept = undefined
        for (const take of missed) take()
      }
    })
  }
  // The first claim of each only finds out that it is heard.
  for (const { claim } of instances.values()) await claim()
  messages.length = 0
  return { instances: [...instances.values()] as unknown as [Instance, Instance, Instance], messages }
}

const aLongTime = 60_000

// As a server would, this keeps the process from ending while nothing but the patience is waited for.
const serving = setInterval(() => {}, 1_000)
t.teardown(() => { clearInterval(serving) })

async function isDone (promise: Promise<void>): Promise<boolean> {
  let done = false
  void promise.then(() => { done = true })
  for (let turn = 0; turn < 10; turn++) await new Promise(resolve => setImmediate(resolve))
  return done
}

t.test('an announcement is over when all have heard it', async t => {
  const { instances: [a, b, c] } = await bus(['a', 'b', 'c'], aLongTime)
  await a.announce(7, 0)
  t.strictSame([a.heard, b.heard, c.heard], [[], [7], [7]])
  b.pause()
  const announced = a.announce(8, 0)
  t.notOk(await isDone(announced), 'one has not')
  b.resume()
  await announced
  t.strictSame(b.heard, [7, 8])
})

t.test('one that is alone waits for nobody', async t => {
  const { instances: [a] } = await bus(['a'], aLongTime)
  await a.announce(1, 0)
  t.pass()
})

t.test('who does not confirm is waited for as long as it may rely on what it heard, and then not again until it is back', async t => {
  const { instances: [a, b, c] } = await bus(['a', 'b', 'c'], 30)
  // As every instance does several times in the time of a lease; after a pause, the first claim only finds out that it is heard.
  const renew = async (instance: Instance): Promise<void> => {
    await instance.claim()
    await instance.claim()
  }
  b.pause()
  const started = performance.now()
  await a.announce(1, 0)
  t.ok(performance.now() - started >= 28, 'as long as that')
  t.ok(await isDone(a.announce(2, 0)), 'the next does not wait for it')
  await renew(c)
  c.pause()
  const another = a.announce(3, 0)
  t.notOk(await isDone(another), 'but for who was there')
  c.resume()
  await another
  b.resume()
  for (const instance of [a, b, c]) await renew(instance)
  const all = [a.announce(4, 0), b.announce(5, 0), c.announce(6, 0)]
  await Promise.all(all)
  b.pause()
  t.notOk(await isDone(a.announce(7, 0)), 'it is back, and waited for')
  t.strictSame(c.heard, [1, 2, 3, 4, 5, 7])
})

t.test('what is announced and confirmed at once goes in one message', async t => {
  const { instances: [a, b], messages } = await bus(['a', 'b'], aLongTime)
  await Promise.all(Array.from({ length: 1_000 }, async (_, i) => a.announce(i, 0)))
  t.strictSame(messages.length, 2)
  t.equal(b.heard.length, 1_000)
})

t.test('what cannot be published is told to all who announced', async (t: Test) => {
  const announcements = createAnnouncements({ instance: 'a', channel: 'all', publish: async () => { throw new Error('gone') }, lease: aLongTime, onEvents () {} })
  await Promise.all([t.rejects(announcements.announce(1, 0), { message: 'gone' }), t.rejects(announcements.announce(2, 0), { message: 'gone' })])
  await eventually('the next is tried again', async () => announcements.announce(3, 0).then(() => false, () => true))
})
