import { Buffer } from 'node:buffer'
import type { Readable } from 'node:stream'
import { createGunzip, type Gunzip } from 'node:zlib'
import type { BodyRoom } from './body-room.ts'
import { GatewayError } from './errors.ts'

export interface ReceiveOptions {
  /** The most bytes, decoded and as sent. */
  limit: number
  /** The value of `Content-Length`. */
  length?: number | undefined
  /** The value of `Content-Encoding`. */
  encoding?: string | undefined
  room: BodyRoom
}

export interface ReceivedBody {
  readonly bytes: Buffer
  /** Whether it took room. */
  readonly isLarge: boolean
  /** Gives back the room that the body takes. */
  release: () => void
}

/** Bodies up to this size, in bytes, take no room: there are many of them, and each is read at once. */
const small = 64 * 1024

/** Text that is no attack may be encoded to a 200th of its size. Smaller bodies may be encoded to less: their size alone is harmless. */
const mostRatio = 200
const anyRatio = 1024 * 1024

const mebibyte = 1024 * 1024

/**
 * Receives a body and decodes it. It rejects without reading a body that is too long by its own account, or has an unknown encoding; the
 * rest of a body that it rejects later is read and dropped, so that the client gets the answer.
 * @throws GatewayError 400, 413, 415, or 503 if too many large bodies arrive at once
 */
export async function receiveBody (payload: Readable, { limit, length, encoding, room }: ReceiveOptions): Promise<ReceivedBody> {
  const isEncoded = isGzip(encoding)
  if (length !== undefined && length > limit) throw tooLarge(limit)
  const gunzip = isEncoded ? createGunzip({ chunkSize: 64 * 1024 }) : undefined
  const source = gunzip === undefined ? payload : payload.pipe(gunzip)
  const body = createCollector(limit, isEncoded ? undefined : length)
  let release = (): void => {}
  let failed = false
  try {
    await new Promise<void>((resolve, reject) => {
      let isLarge = false
      source.on('data', (chunk: Buffer) => {
        if (!body.add(chunk) || (gunzip !== undefined && isBomb(gunzip, body.size))) return reject(tooLarge(limit))
        if (isLarge || body.size <= small) return
        isLarge = true
        source.pause()
        room.take(isEncoded ? limit : length ?? limit).then(free => {
          if (failed) return free()
          release = free
          source.resume()
        }, reject)
      })
      source.once('end', resolve)
      source.once('error', error => { reject(isEncoded ? new GatewayError('InvalidBody', 'body: is not gzip, as its Content-Encoding says', { cause: error }) : error) })
      payload.once('error', reject)
      payload.once('close', () => { if (!payload.readableEnded) reject(new GatewayError('InvalidRequest', 'the body did not arrive completely')) })
    })
    if (!isEncoded && length !== undefined && length !== body.size) throw new GatewayError('InvalidRequest', 'Content-Length: does not match the body')
  } catch (error) {
    failed = true
    release()
    source.removeAllListeners('data')
    if (gunzip !== undefined) {
      payload.unpipe(gunzip)
      gunzip.on('error', () => {}).destroy()
    }
    payload.resume()
    throw error
  }
  // The listeners hold the chunks, and the request holds the listeners until it is answered.
  source.removeAllListeners('data')
  const bytes = body.bytes()
  return { bytes, isLarge: bytes.length > small, release }
}

interface Collector {
  /** Adds a chunk. @returns whether the body is within its limit */
  add: (chunk: Buffer) => boolean
  readonly size: number
  bytes: () => Buffer
}

/** Collects chunks. A body of known length is put into one buffer at once, so that there are never two copies of a large one. */
function createCollector (limit: number, length: number | undefined): Collector {
  const whole = length !== undefined && length > small ? Buffer.allocUnsafeSlow(length) : undefined
  const chunks: Buffer[] = []
  let size = 0
  return {
    add (chunk) {
      if (size + chunk.length > limit) return false
      if (whole === undefined) chunks.push(chunk)
      else chunk.copy(whole, size)
      size += chunk.length
      return true
    },
    get size () { return size },
    bytes: () => whole?.subarray(0, size) ?? (chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks))
  }
}

/** @throws GatewayError 415 for an encoding that is not known */
function isGzip (encoding = ''): boolean {
  const codings = encoding.toLowerCase().split(',').map(coding => coding.trim()).filter(coding => coding !== '' && coding !== 'identity')
  if (codings.length === 0) return false
  if (codings.length === 1 && (codings[0] === 'gzip' || codings[0] === 'x-gzip')) return true
  throw new GatewayError('UnsupportedContentEncoding', 'Content-Encoding: expected gzip or identity')
}

function isBomb ({ bytesWritten }: Gunzip, size: number): boolean {
  return size > anyRatio && size > bytesWritten * mostRatio
}

function tooLarge (limit: number): GatewayError {
  return new GatewayError('BodyTooLarge', `body: expected at most ${limit / mebibyte} MiB`)
}
