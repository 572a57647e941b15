import { randomBytes } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { createEncoder, type Encoder } from '../../src/cache/encoder.ts'
import { createEntry } from '../../src/cache/entry.ts'
import { createMemoryTier, type Kept, type MemoryTier } from '../../src/cache/memory-tier.ts'
import { eventually } from '../support/eventually.ts'
import { testPolicy } from '../support/test-cache.ts'

const text = 'a list of items, '.repeat(500)
const kept = (body = text): Kept => ({ ...createEntry({ body, variation: 'main' }, testPolicy, 1_000), version: undefined, slot: -1, begunAt: 0 })

function start (maxBytes = 2 ** 24): { memory: MemoryTier, encoder: Encoder, errors: unknown[] } {
  const memory = createMemoryTier(maxBytes)
  const errors: unknown[] = []
  return { memory, errors, encoder: createEncoder({ memory, onError: error => { errors.push(error) } }) }
}

t.test('an encoding is made once, however many want it, and counts for the bytes of memory', async t => {
  const { memory, encoder } = start()
  const entry = kept()
  memory.set('key', entry)
  const before = memory.bytes
  for (let i = 0; i < 100; i++) encoder.want('key', entry, 'gzip')
  await eventually('it is made', () => memory.peek('key')?.encoded?.gzip !== undefined)
  const { body, etag } = memory.peek('key')!.encoded!.gzip!
  t.equal(gunzipSync(body).toString(), text)
  t.not(etag, entry.etag)
  t.ok(memory.bytes >= before + body.length)
  t.equal(memory.entries, 1)
  t.equal(memory.evictions, 0)
  encoder.want('key', memory.peek('key')!, 'br')
  await eventually('the other is made', () => memory.peek('key')?.encoded?.br !== undefined)
  t.ok(memory.peek('key')!.encoded!.gzip, 'the first stays')
  encoder.want('key', memory.peek('key')!, 'gzip')
  t.strictSame(encoder.made, { br: 1, gzip: 1 })
})

t.test('what is gone or replaced meanwhile does not come back', async t => {
  const { memory, encoder } = start(20_000)
  const old = kept()
  memory.set('replaced', old)
  encoder.want('replaced', old, 'gzip')
  memory.set('replaced', kept('another body'))
  await eventually('it is encoded', () => encoder.made.gzip === 1)
  t.equal(memory.peek('replaced')!.encoded, undefined)
  memory.set('evicted', old)
  encoder.want('evicted', old, 'gzip')
  memory.set('large', kept('x'.repeat(17_000)))
  t.equal(memory.peek('evicted'), undefined)
  await eventually('it is encoded', () => encoder.made.gzip === 2)
  t.equal(memory.peek('evicted'), undefined)
})

t.test('encoded bytes make others go, and never exceed what memory may hold', async t => {
  const maxBytes = 200_000
  const { memory, encoder } = start(maxBytes)
  const body = (): string => randomBytes(4_000).toString('hex')
  for (let i = 0; i < 20; i++) memory.set(`key ${i}`, kept(body()))
  const { evictions } = memory
  for (let i = 0; i < 20; i++) {
    const entry = memory.get(`key ${i}`)
    if (entry !== undefined) encoder.want(`key ${i}`, entry, 'gzip')
  }
  await eventually('some had to go', () => memory.evictions > evictions)
  await eventually('all that are left are encoded', () => Array.from({ length: 20 }, (_, i) => memory.peek(`key ${i}`)).every(entry => entry === undefined || entry.encoded?.gzip !== undefined))
  t.ok(memory.bytes <= maxBytes, `${memory.bytes} bytes`)
})

t.test('where there is no room at all, or nothing to be gained, the plain body stays alone and it is not tried again', async t => {
  const { memory, encoder } = start(8_000)
  const entry = kept(randomBytes(3_000).toString('hex'))
  memory.set('key', entry)
  encoder.want('key', entry, 'gzip')
  await eventually('it is tried', () => memory.peek('key')?.encoded?.gzip !== undefined)
  t.equal(memory.peek('key')!.encoded!.gzip, null)
  encoder.want('key', memory.peek('key')!, 'gzip')
  t.equal(encoder.made.gzip, 1)
  const dense = { ...entry, body: randomBytes(2_000) }
  memory.set('dense', dense)
  encoder.want('dense', dense, 'br')
  await eventually('it is tried', () => memory.peek('dense')?.encoded?.br !== undefined)
  t.equal(memory.peek('dense')!.encoded!.br, null)
})

t.test('so many wait and no more; who finds the queue full asks again', async t => {
  const { memory, encoder, errors } = start()
  const keys = Array.from({ length: 300 }, (_, i) => `key ${i}`)
  for (const key of keys) memory.set(key, kept())
  for (const key of keys) encoder.want(key, memory.peek(key)!, 'gzip')
  await eventually('those that waited are encoded', () => encoder.made.gzip === 202)
  for (const key of keys) encoder.want(key, memory.peek(key)!, 'gzip')
  await eventually('all are encoded', () => keys.every(key => memory.peek(key)!.encoded?.gzip != null))
  t.equal(encoder.made.gzip, 300)
  t.strictSame(errors, [])
})
