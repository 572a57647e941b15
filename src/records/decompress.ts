import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { UserError } from '../base/user-error.ts'

/** A file that was compressed twice, such as a `.gz` that a client compressed again for the transfer, has two layers. */
const mostLayers = 2

/** First bytes of contents that are no text, with their names for people. */
const foreign: ReadonlyArray<readonly [Buffer, string]> = [
  [Buffer.from('PK\x03\x04'), 'a ZIP archive or an Excel workbook'],
  [Buffer.from('d0cf11e0', 'hex'), 'an Excel workbook'],
  [Buffer.from('PAR1'), 'a Parquet file'],
  [Buffer.from('ORC'), 'an ORC file'],
  [Buffer.from('Obj\x01'), 'an Avro file'],
  [Buffer.from('28b52ffd', 'hex'), 'compressed with Zstandard'],
  [Buffer.from('BZh'), 'compressed with bzip2'],
  [Buffer.from('fd377a58', 'hex'), 'compressed with xz'],
  [Buffer.from('fffe', 'hex'), 'UTF-16'],
  [Buffer.from('feff', 'hex'), 'UTF-16']
]

/**
 * Returns the bytes of a file, decompressed if they are gzip, whatever the name of the file is.
 * @param named whether the name of the file says that it is compressed
 * @throws UserError if the content is neither text nor gzip, or if `named` and it is not gzip
 */
export async function * decompressed (bytes: AsyncIterable<Buffer>, file: string, named: boolean, layers = mostLayers): AsyncGenerator<Buffer> {
  const source = bytes[Symbol.asyncIterator]()
  const first = await source.next()
  const head = first.done === true ? Buffer.alloc(0) : first.value
  async function * whole (): AsyncGenerator<Buffer> {
    try {
      if (head.length > 0) yield head
      for (let next = await source.next(); next.done !== true; next = await source.next()) yield next.value
    } finally {
      await source.return?.()
    }
  }
  try {
    if (layers > 0 && head[0] === 0x1f && head[1] === 0x8b) {
      const gunzip = createGunzip()
      // The reader of `gunzip` gets the error.
      pipeline(whole(), gunzip).catch(() => {})
      yield * decompressed(gunzip, file, false, layers - 1)
      return
    }
    if (named && head.length > 0) throw new UserError(`${file} is not a sound .gz file`)
    const [, what] = foreign.find(([magic]) => head.subarray(0, magic.length).equals(magic)) ?? (isWide(head) ? [head, 'UTF-16'] as const : [])
    if (what !== undefined) throw new UserError(`${file} is ${what}; expected JSON Lines, CSV or TSV in UTF-8, compressed with gzip or not`)
    yield * whole()
  } finally {
    await source.return?.()
  }
}

/** Returns whether a text begins with a character of two bytes: no text in UTF-8 has a zero among its first ones. */
function isWide (head: Buffer): boolean {
  return head.length > 1 && (head[0] === 0) !== (head[1] === 0)
}
