import t from 'tap'
import { createStringScanner } from '../../src/base/json-string-scanner.ts'
import { seededRandom } from '../support/seeded-random.ts'

/** Scans a string in slices. @returns its value, and the most bytes that a slice has scanned */
function scanInSlices (text: string, slice: () => number): { value: string, longest: number } {
  const bytes = Buffer.from(text)
  const scanner = createStringScanner(bytes)
  let [reached, longest] = [0, 0]
  const next = (): number => reached + slice()
  while (!scanner.scan(0, next())) {
    longest = Math.max(longest, scanner.end - reached)
    reached = scanner.end
  }
  return { value: scanner.isEscaped ? scanner.take() : bytes.toString('utf8', 1, scanner.end), longest }
}

t.test('long strings are read in slices: a string that is cut anywhere is the one that JSON.parse reads', t => {
  const random = seededRandom(3)
  const pieces = ['a', 'é', '💥', '\\u00e9', '\\ud83d\\udca9', '\\n', '\\\\', '\\"', 'uuuu', '\\u0022', 'ud83d']
  for (let i = 0; i < 500; i++) {
    const text = `"${Array.from({ length: random.integer(0, 60) }, () => random.pick(pieces)).join('')}"`
    t.equal(scanInSlices(text, () => random.integer(1, 5)).value, JSON.parse(text), text)
  }
  t.end()
})

t.test('no slice of a text of escapes is much longer than asked for, so that 8 MB of them do not block', t => {
  const { value, longest } = scanInSlices(`"${'\\u0061'.repeat(100_000)}"`, () => 1_000)
  t.equal(value.length, 100_000)
  t.ok(longest < 1_010, `${longest} bytes`)
  t.end()
})

t.test('a string that is not JSON is refused: an unknown escape, a control character, no end', t => {
  for (const text of ['"\\x"', '"\\u00g0"', '"\\u12"', '"\n"', '"abc', '"abc\\', '"\\u00']) t.throws(() => scanInSlices(text, () => 2), { code: 'InvalidBody' }, text)
  t.end()
})
