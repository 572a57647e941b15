import { randomUUID } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { createFingerprints } from '../../src/events/fingerprints.ts'

const keepFor = 1000

/** Fingerprints whose clock a test turns. */
function turned (slots?: number) {
  let time = 5_000
  const fingerprints = createFingerprints({ now: () => time, keepFor, ...(slots === undefined ? {} : { slots }) })
  return { ...fingerprints, pass: (ms: number) => { time += ms } }
}

const numbered = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`)

t.test('of 100,000 texts all are known, and none of as many others', t => {
  for (const [what, seen, others] of [
    ['random', numbered('', 100_000).map(() => randomUUID()), numbered('', 100_000).map(() => randomUUID())],
    ['in a row', numbered('shop\nembedded\nevent-', 100_000), numbered('shop\nembedded\nEvent-', 100_000)],
    ['that differ in one place', numbered('a', 100_000), numbered('b', 100_000)]
  ] as const) {
    const { add, has } = turned()
    for (const text of seen) add(text)
    t.equal(seen.filter(has).length, seen.length, what)
    t.equal(others.filter(has).length, 0, what)
  }
  t.end()
})

t.test('a text is known for its time at least, whenever it came', t => {
  for (let age = 0; age <= keepFor; age += 50) {
    const { add, has, pass } = turned()
    add('first')
    pass(age)
    add('text')
    for (let passed = 0; passed < keepFor; passed += 50) {
      if (!has('text')) t.fail(`gone after ${passed} ms, added at ${age} ms`)
      add(`other at ${passed}`)
      pass(50)
    }
  }
  t.end()
})

t.test('and is forgotten after twice that, where others come', t => {
  const { add, has, pass } = turned()
  add('text')
  for (let passed = 0; passed <= 2 * keepFor; passed += 100) {
    pass(100)
    add('other')
  }
  t.notOk(has('text'))
  t.ok(has('other'))
  t.end()
})

t.test('after a long silence all is forgotten with the next text', t => {
  const { add, has, pass } = turned()
  add('text')
  pass(2 * keepFor)
  add('other')
  t.notOk(has('text'))
  t.ok(has('other'))
  t.end()
})

t.test('what is added again is as new', t => {
  const { add, has, pass } = turned()
  add('text')
  pass(keepFor)
  add('text')
  pass(keepFor - 1)
  add('other')
  t.ok(has('text'))
  t.end()
})

t.test('a clock that is put back forgets nothing', t => {
  const { add, has, pass } = turned()
  add('text')
  pass(-100_000)
  add('other')
  pass(10)
  t.ok(has('text'))
  t.ok(has('other'))
  t.end()
})

t.test('where there are too many, the oldest go, and those of the last full table are known', t => {
  const { add, has } = turned(1024)
  const texts = numbered('text-', 10_000)
  for (const text of texts) add(text)
  const most = 1024 * 3 / 4
  t.equal(texts.slice(-most).filter(has).length, most)
  t.ok(texts.filter(has).length <= 2 * most, 'a table that is never full finds an end to every search')
  t.end()
})

t.test('one text many times takes one place', t => {
  const { add, has } = turned(1024)
  add('first')
  for (let i = 0; i < 10_000; i++) add('again')
  t.ok(has('first'))
  t.end()
})

t.test('memory is two tables, however many texts come, and none before the first', t => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const taken = (): number => {
    // What the tests before have left is freed by the second.
    collect()
    collect()
    return process.memoryUsage().arrayBuffers
  }
  const before = taken()
  const { add } = turned(2 ** 16)
  t.ok(taken() <= before)
  let highest = 0
  for (let i = 0; i < 1_000_000; i++) {
    add(`text-${i}`)
    if (i % 50_000 === 0) highest = Math.max(highest, taken() - before)
  }
  t.ok(highest <= 2 * 2 ** 16 * 8, `${highest} bytes`)
  t.end()
})
