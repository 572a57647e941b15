import t from 'tap'
import { selectFilter } from '../../src/context/filters.ts'
import type { Filters } from '../../src/context/rules.ts'

const arn = (name: string): string => `arn:aws:personalize:us-east-1:123456789012:filter/${name}`
const filters: Filters = [{ arn: arn('of-users'), condition: 'user-required' }, { arn: arn('of-all') }, { arn: arn('never') }]

t.test('the first filter whose condition holds is used', async t => {
  t.equal(selectFilter(filters, { userId: 'u' }).filter, arn('of-users'))
  t.equal(selectFilter(filters, {}).filter, arn('of-all'))
  t.equal(selectFilter([filters[0]!], {}).filter, undefined)
  t.equal(selectFilter([], { userId: 'u' }).filter, undefined)
})

t.test('a filter that the request names takes its place', async t => {
  t.strictSame(selectFilter(filters, { userId: 'u', filter: 'mine', filterValues: { A: '1' } }), { filter: 'mine', filterValues: { A: '1' } })
  t.strictSame(selectFilter([], { filter: 'mine' }), { filter: 'mine', filterValues: undefined })
})

t.test('values go to the configured filter, and nowhere where there is none', async t => {
  t.strictSame(selectFilter(filters, { filterValues: { A: '1' } }), { filter: arn('of-all'), filterValues: { A: '1' } })
  t.strictSame(selectFilter([], { filterValues: { A: '1' } }), { filter: undefined, filterValues: undefined })
})
