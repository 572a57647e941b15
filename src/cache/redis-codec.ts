import { entityTag, type Entry } from './entry.ts'

const separator = 0x0a
const format = '1'

/** An entry with the data to decide whether it is still valid. Its times are in epoch ms, as processes do not share a steady clock. */
export interface Shared {
  entry: Entry
  /** The version of the user's events when the making of the entry began; empty if no user's events matter. */
  version: string
  /** The epoch of the shared tier in which the entry was made (see RedisLink). */
  epoch: string
}

/**
 * Returns the stored form of an entry: its fields, one to a line and none with a line end in it, and then the body unchanged. Decoding it
 * parses no JSON.
 */
export function encodeShared ({ entry: { body, etag, variation, degraded = '', madeAt, freshUntil, staleUntil, errorUntil }, version, epoch }: Shared): Buffer {
  const head = [format, epoch, version, etag, variation, degraded, madeAt, freshUntil, staleUntil, errorUntil].join('\n')
  return Buffer.concat([Buffer.from(`${head}\n`), body])
}

/** Returns the entry in its stored form; undefined if the bytes are no entry, or one that is incomplete or has another format. */
export function decodeShared (bytes: Buffer): Shared | undefined {
  const fields: string[] = []
  let from = 0
  while (fields.length < 10) {
    const end = bytes.indexOf(separator, from)
    if (end < 0) return undefined
    fields.push(bytes.toString('utf8', from, end))
    from = end + 1
  }
  const [known, epoch, version, etag, variation, degraded] = fields as [string, string, string, string, string, string]
  const times = fields.slice(6).map(Number)
  if (known !== format || times.some(Number.isNaN)) return undefined
  const [madeAt, freshUntil, staleUntil, errorUntil] = times as [number, number, number, number]
  // Copies the body: a view would keep alive the whole buffer that Redis's reply arrived in.
  const body = Buffer.from(bytes.subarray(from))
  if (entityTag(body) !== etag) return undefined
  return {
    entry: { body, etag, variation, degraded: degraded || undefined, undecorated: undefined, madeAt, freshUntil, staleUntil, errorUntil },
    version,
    epoch
  }
}
