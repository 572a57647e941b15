import { entityTag, type Entry } from './entry.ts'

const separator = 0x0a
const format = '1'

/** An entry with what it takes to know whether it still counts. */
export interface Shared {
  entry: Entry
  /** Of the user's events, when its making began; empty where no user's events matter. */
  version: string
  /** Of the shared tier itself (see RedisLink). */
  epoch: string
}

/** Its fields, a line each and none of them with a line end in it, and then the body as it is: reading it back parses no JSON. */
export function encodeShared ({ entry: { body, etag, variation, degraded = '', madeAt, freshUntil, staleUntil, errorUntil }, version, epoch }: Shared): Buffer {
  const head = [format, epoch, version, etag, variation, degraded, madeAt, freshUntil, staleUntil, errorUntil].join('\n')
  return Buffer.concat([Buffer.from(`${head}\n`), body])
}

/** @returns undefined where this is no entry, one of another format, or one that is not whole */
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
  // A copy of its own: else the buffer of everything that came with it would be kept alive.
  const body = Buffer.from(bytes.subarray(from))
  if (entityTag(body) !== etag) return undefined
  return {
    entry: { body, etag, variation, degraded: degraded || undefined, undecorated: undefined, madeAt, freshUntil, staleUntil, errorUntil },
    version,
    epoch
  }
}
