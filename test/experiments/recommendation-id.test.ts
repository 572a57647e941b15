import t from 'tap'
import { recommendationIds } from '../../src/experiments/recommendation-id.ts'

const at = Date.parse('2026-11-01T12:34:56Z')
const ids = recommendationIds(() => ['secret'], () => at)
const identity = { namespace: 'shop', action: 'recommend-items', recommender: 'home', feature: 'layout', variation: 'b', userId: 'u-1' }

t.test('an id has 40 characters and stands for its list alone', async t => {
  const id = ids.issue(identity, ['a', 'b'])
  t.match(id, /^[\w-]{40}$/)
  t.not(ids.issue(identity, ['b', 'a']), id, 'two lists of one minute differ')
  t.equal(ids.issue(identity, ['a', 'b']), id, 'the same list again has the same id')
  t.not(ids.issue({ ...identity, userId: 'u-2' }, ['a', 'b']), id)
  const opened = ids.open(id)!
  t.ok(opened.isFor(identity))
  t.equal(opened.madeAt, Date.parse('2026-11-01T12:34:00Z'))
  for (const [key, value] of Object.entries({ namespace: 'shop2', action: 'related-items', recommender: 'away', feature: undefined, variation: 'a', userId: 'u-2' })) {
    t.notOk(opened.isFor({ ...identity, [key]: value }), key)
  }
})

t.test('an id with any byte changed is foreign, and so is one by another secret', async t => {
  const bytes = Buffer.from(ids.issue(identity, ['a', 'b']), 'base64url')
  for (let i = 0; i < bytes.length; i++) {
    const forged = Buffer.from(bytes)
    forged[i]! ^= 1
    t.equal(ids.open(forged.toString('base64url')), undefined, `byte ${i}`)
  }
  t.equal(recommendationIds(() => ['another'], () => at).open(ids.issue(identity, ['a', 'b'])), undefined)
  for (const foreign of ['', 'r-1', 'RID-12345678-1234-1234-1234-1234567890ab', `${ids.issue(identity, ['a', 'b'])}A`, ids.issue(identity, ['a', 'b']).slice(1)]) t.equal(ids.open(foreign), undefined)
})

t.test('a list for nobody is not one for a user', async t => {
  const { userId, ...nobody } = identity
  t.ok(ids.open(ids.issue(nobody, ['a']))!.isFor(nobody))
  t.notOk(ids.open(ids.issue(nobody, ['a']))!.isFor({ ...nobody, userId }))
})

t.test('ids of earlier secrets are accepted, and none is issued by them', async t => {
  const changed = recommendationIds(() => ['new', 'secret'], () => at)
  t.ok(changed.open(ids.issue(identity, ['a', 'b']))?.isFor(identity))
  t.equal(ids.open(changed.issue(identity, ['a', 'b'])), undefined)
})
