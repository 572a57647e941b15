import t from 'tap'
import { inherited } from '../../src/config/document.ts'
import { inherit } from '../../src/config/inherit.ts'

const level = (pointer: string, value: object) => ({ pointer, value })

t.test('the nearest level that defines a key wins, whole', async t => {
  const levels = [
    level('', { resilience: { timeout: 1, retries: 1 } }),
    level('/n', { resilience: { timeout: 2 } }),
    level('/n/r', {})
  ]
  t.strictSame(inherit('resilience', levels), { pointer: '/n/resilience', value: { timeout: 2 } }, 'the retries of the root are not mixed in')
  t.strictSame(inherit('resilience', levels.slice(0, 1))?.value, { timeout: 1, retries: 1 })
})

t.test('where no level defines a key there is nothing', async t => {
  t.equal(inherit('fallback', [level('', {}), level('/n', { fallback: undefined })]), undefined)
  t.equal(inherit('fallback', []), undefined)
})

t.test('an empty value is a value', async t => {
  t.strictSame(inherit('fallback', [level('', { fallback: ['a'] }), level('/n', { fallback: [] })])?.value, [])
})

t.test('these are the keys that are inherited', async t => {
  t.strictSame(Object.keys(inherited).sort(), ['autoContext', 'cacheControl', 'fallback', 'filters', 'inferenceItemMetadata', 'resilience'])
})
