import t from 'tap'
import { decodeUtf8 } from '../../src/records/decode.ts'

async function decoded (...chunks: Buffer[]): Promise<string> {
  async function * source (): AsyncGenerator<Buffer> {
    yield * chunks
  }
  let text = ''
  for await (const part of decodeUtf8(source())) text += part
  return text
}

t.test('chunks may end inside a character', async t => {
  const text = 'ä€🧦 漢字\u2028🏔'
  const bytes = Buffer.from(text)
  for (let cut = 0; cut <= bytes.length; cut++) t.equal(await decoded(bytes.subarray(0, cut), bytes.subarray(cut)), text)
  t.equal(await decoded(...Array.from(bytes, byte => Buffer.of(byte))), text)
})

t.test('a byte order mark before it is no part of the text, one inside is', async t => {
  t.equal(await decoded(Buffer.from('\uFEFFa\uFEFFb')), 'a\uFEFFb')
})

t.test('no bytes are no text', async t => {
  t.equal(await decoded(), '')
})

t.test('what is not UTF-8 is an error, also at the end', async t => {
  await t.rejects(decoded(Buffer.from('naïve', 'latin1')), { message: 'the file is not UTF-8' })
  await t.rejects(decoded(Buffer.from('a€').subarray(0, 2)), { message: 'the file is not UTF-8' })
})
