import t from 'tap'
import { longestLine, readLines, type Line } from '../../src/records/lines.ts'
import { collectBatches } from '../support/collect-batches.ts'

async function linesOf (...chunks: string[]): Promise<Line[]> {
  async function * source (): AsyncGenerator<string> {
    yield * chunks
  }
  return collectBatches(readLines(source()))
}

const texts = (lines: Line[]): string[] => lines.map(({ text }) => text)

t.test('line feeds end lines, with a carriage return before them or not', async t => {
  t.strictSame(await linesOf('a\nb\r\nc\n'), [{ number: 1, text: 'a' }, { number: 2, text: 'b' }, { number: 3, text: 'c' }])
})

t.test('a last line without an end counts', async t => {
  t.strictSame(await linesOf('a\nb'), [{ number: 1, text: 'a' }, { number: 2, text: 'b' }])
})

t.test('blank lines are left out and counted', async t => {
  t.strictSame(await linesOf('\n  \na\n\r\n\nb\n\n'), [{ number: 3, text: 'a' }, { number: 6, text: 'b' }])
})

t.test('no bytes are no lines', async t => {
  t.strictSame(await linesOf(), [])
  t.strictSame(await linesOf('', '\n', ''), [])
})

t.test('no other separator that Unicode knows ends a line', async t => {
  const text = '{"a":"\u2028 \u2029 \u0085 \v \f \r x"}'
  t.strictSame(texts(await linesOf(`${text}\n${text}`)), [text, text])
})

t.test('chunks may end anywhere', async t => {
  const text = 'ä€🧦\r\n漢字\n\nlast 🏔'
  for (let cut = 0; cut <= text.length; cut++) {
    t.strictSame(await linesOf(text.slice(0, cut), text.slice(cut)),
      [{ number: 1, text: 'ä€🧦' }, { number: 2, text: '漢字' }, { number: 4, text: 'last 🏔' }])
  }
  t.strictSame(texts(await linesOf(...text.split(''))), ['ä€🧦', '漢字', 'last 🏔'])
})

t.test('a line without an end in sight is refused by its number', async t => {
  const chunk = 'x'.repeat(256 * 1024)
  await t.rejects(linesOf('a\nb\n', ...Array<string>(9).fill(chunk)), { message: /line 3 / })
})

t.test('a line that is too long is refused also where its end comes in the same chunk', async t => {
  await t.rejects(linesOf(`a\n${'x'.repeat(longestLine + 1)}\nb\n`), { message: /line 2 / })
})

t.test('the longest line is taken', async t => {
  const longest = 'x'.repeat(longestLine)
  t.equal(texts(await linesOf(longest, '\nnext'))[0]!.length, longestLine)
})
