import t from 'tap'
import { createEntry } from '../../src/cache/entry.ts'
import { createMemoryTier, type Kept } from '../../src/cache/memory-tier.ts'
import { testPolicy } from '../support/test-cache.ts'

const kept = (body: string): Kept => ({ ...createEntry({ body, variation: 'main' }, testPolicy, 1_000), slot: -1, begunAt: 0, version: undefined })

t.test('what was kept is there, and what was not is not', async t => {
  const memory = createMemoryTier(10_000)
  const entry = kept('a')
  memory.set('key', entry)
  t.equal(memory.get('key'), entry)
  t.equal(memory.get('other'), undefined)
  memory.set('key', kept('b'))
  t.equal(memory.get('key')!.body.toString(), 'b')
  t.equal(memory.entries, 1)
  t.equal(memory.evictions, 0, 'what is replaced is not evicted')
})

t.test('it holds as many bytes as it may, and lets go of what was used longest ago', async t => {
  const maxBytes = 20_000
  const memory = createMemoryTier(maxBytes)
  const body = 'x'.repeat(1_000)
  for (let i = 0; i < 10; i++) memory.set(`key ${i}`, kept(body))
  t.equal(memory.entries, 10)
  t.ok(memory.bytes >= 10 * body.length)
  for (let i = 10; i < 50; i++) {
    memory.get('key 0')
    memory.set(`key ${i}`, kept(body))
    t.ok(memory.bytes <= maxBytes, `${memory.bytes} bytes`)
  }
  t.ok(memory.get('key 0'), 'what is used stays')
  t.equal(memory.get('key 1'), undefined)
  t.ok(memory.get('key 49'))
  t.equal(memory.entries + memory.evictions, 50)
})

t.test('a key counts, too', async t => {
  const memory = createMemoryTier(100_000)
  memory.set('k', kept('a'))
  const { bytes } = memory
  memory.set('k'.repeat(1_001), kept('a'))
  t.ok(memory.bytes - bytes >= bytes + 1_000, `${bytes} bytes, then ${memory.bytes}`)
})

t.test('what is larger than all that it may hold is not kept, and nothing goes for it', async t => {
  const memory = createMemoryTier(5_000)
  memory.set('small', kept('a'))
  memory.set('large', kept('x'.repeat(5_000)))
  t.equal(memory.get('large'), undefined)
  t.ok(memory.get('small'))
  memory.set('small', kept('x'.repeat(5_000)))
  t.equal(memory.get('small'), undefined, 'what it would have replaced is out of date')
  t.equal(memory.bytes, 0)
})
