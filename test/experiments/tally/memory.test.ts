import t from 'tap'
import { createMemoryTally } from '../../../src/experiments/tally/memory.ts'
import type { Counted } from '../../../src/experiments/tally/store.ts'
import { tallyStoreContract } from '../../contracts/tally-store.ts'

const of = (id: string): Counted => ({ id, attribution: 1_000 })

tallyStoreContract('memory', async () => createMemoryTally({ now: () => 0 }))

t.test('after the attribution window a user is forgotten: a conversion is credited to nobody, an exposure is the first', async t => {
  const started = 1_000_000
  let now = started
  const store = createMemoryTally({ now: () => now })
  await store.count(of('e'), [{ kind: 'exposure', user: 'u', variation: 'a' }])
  now = started + 900
  await store.count(of('e'), [{ kind: 'exposure', user: 'u', variation: 'a' }])
  now = started + 1_800
  await store.count(of('e'), [{ kind: 'credit', user: 'u', metric: 'm', value: 1, id: '1' }])
  t.equal((await store.read('e')).metrics.get('m')!.get('a')!.converted, 1, 'the window begins anew with each exposure')
  now = started + 3_000
  await store.count(of('e'), [{ kind: 'credit', user: 'u', metric: 'm', value: 1, id: '2' }])
  t.equal((await store.read('e')).unexposed.get('m'), 1)
})
