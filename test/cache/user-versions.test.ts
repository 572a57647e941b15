import t from 'tap'
import { createUserVersions, type Announcer, type LinkState, type User, type UserVersions } from '../../src/cache/user-versions.ts'

const user: User = { namespace: 'shop', userId: 'u' }
const other: User = { namespace: 'shop', userId: 'other' }

const isCurrent = (versions: UserVersions, user: User, madeAt: number): boolean => versions.isCurrent(versions.slotOf(user), madeAt)

t.test('what was begun before an event of its user is out of date; what is begun after it is not', async t => {
  const versions = createUserVersions()
  const before = versions.now
  t.ok(isCurrent(versions, user, before))
  await versions.raise(user)
  t.notOk(isCurrent(versions, user, before))
  t.ok(isCurrent(versions, user, versions.now))
  t.ok(isCurrent(versions, other, before))
  const between = versions.now
  await versions.raise(other)
  t.ok(isCurrent(versions, user, between))
  await versions.raise(user)
  t.notOk(isCurrent(versions, user, between))
})

t.test('an event that was accepted elsewhere counts as one that was accepted here', async t => {
  const versions = createUserVersions()
  const before = versions.now
  versions.outdate(versions.slotOf(user))
  t.notOk(isCurrent(versions, user, before))
  t.ok(isCurrent(versions, other, before))
  t.ok(isCurrent(versions, user, versions.now))
})

t.test('where events may have been missed, all before is out of date', async t => {
  const versions = createUserVersions()
  const before = versions.now
  versions.doubt()
  t.notOk(isCurrent(versions, user, before))
  t.notOk(isCurrent(versions, other, before))
  t.ok(isCurrent(versions, user, versions.now))
})

t.test('every instance gives a user the same slot', async t => {
  const slots = [['shop', 'u'], ['shop', 'other'], ['shop', ''], ['shop', '\u{1f600}'], ['', 'shopu']].map(([namespace, userId]) => createUserVersions().slotOf({ namespace: namespace!, userId: userId! }))
  t.equal(new Set(slots).size, slots.length)
  for (const slot of slots) t.ok(Number.isInteger(slot) && slot >= 0 && slot < 2 ** 20)
  t.equal(slots[0], createUserVersions().slotOf(user))
})

t.test('a namespace and a user are not taken for others that read the same together', async t => {
  const { slotOf } = createUserVersions()
  t.not(slotOf({ namespace: 'ab', userId: 'c' }), slotOf({ namespace: 'a', userId: 'bc' }))
  t.not(slotOf({ namespace: 'a', userId: 'b' }), slotOf({ namespace: 'b', userId: 'a' }))
})

t.test('users are spread evenly, whatever their ids look like', async t => {
  const { slotOf } = createUserVersions()
  for (const name of [(i: number) => String(i), (i: number) => `user-${i}`, (i: number) => `${i}@example.com`, (i: number) => String.fromCharCode(0x4e00 + i % 20_000, 0x4e00 + i / 20_000)]) {
    const count = 100_000
    const slots = new Set(Array.from({ length: count }, (_, i) => slotOf({ namespace: 'shop', userId: name(i) })))
    const expected = 2 ** 20 * (1 - Math.exp(-count / 2 ** 20))
    t.ok(Math.abs(slots.size - expected) < 0.01 * expected, `${name(7)}: ${slots.size} slots, of chance ${Math.round(expected)}`)
  }
})

t.test('an event counts here only once others know', async t => {
  const versions = createUserVersions()
  const told: Array<{ user: User, slot: number }> = []
  let known = (): void => {}
  const announcer: Announcer = {
    state: 'leased',
    announce: async (user, slot) => {
      told.push({ user, slot })
      return new Promise(resolve => { known = resolve })
    }
  }
  versions.tell(announcer)
  const before = versions.now
  const raising = versions.raise(user)
  t.strictSame(told, [{ user, slot: versions.slotOf(user) }])
  const meanwhile = versions.now
  known()
  await raising
  t.notOk(isCurrent(versions, user, before))
  t.notOk(isCurrent(versions, user, meanwhile), 'what was begun while they were told may be of before')
})

t.test('nothing is certain while one of those who announce cannot be heard', async t => {
  const versions = createUserVersions()
  const announcer = (): { state: LinkState, announce: () => Promise<void> } => ({ state: 'leased', announce: async () => {} })
  const [one, two] = [announcer(), announcer()]
  t.equal(versions.state, 'leased')
  versions.tell(one)
  versions.tell(two)
  t.equal(versions.state, 'leased')
  for (const state of ['linked', 'away'] as const) {
    two.state = state
    t.equal(versions.state, state, 'the weakest')
    t.notOk(isCurrent(versions, user, versions.now))
    t.notOk(versions.isOutdated(versions.slotOf(user), versions.now), 'which is not to say that an event is known')
  }
  two.state = 'leased'
  t.ok(isCurrent(versions, user, versions.now))
})
