import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { encodedTag, encodings, type Encoding } from './content-encoding.ts'
import type { Entry } from './entry.ts'
import type { MemoryTier } from './memory-tier.ts'

export interface Encoder {
  /** Queues the body of an entry to be encoded in the background, for later requests. */
  want: (key: string, entry: Entry, encoding: Encoding) => void
  /** The number of bodies encoded so far, by encoding. */
  readonly made: Readonly<Record<Encoding, number>>
}

export interface EncoderOptions {
  memory: MemoryTier
  /** Receives the errors of encoding, for which no request waits. */
  onError: (error: unknown) => void
}

/** The most bodies to encode at once. Node.js has four threads for compression, file access and DNS look-ups together. */
const mostRunning = 2
/** The most jobs in the queue. If it is full, the encoder drops the job, and the next hit of the entry requests it again. */
const mostWaiting = 200

const compress: Readonly<Record<Encoding, (body: Buffer) => Promise<Buffer>>> = {
  gzip: async body => promisify(gzip)(body, { level: 6 }),
  br: async body => promisify(brotliCompress)(body, {
    params: {
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
      [constants.BROTLI_PARAM_QUALITY]: 5,
      [constants.BROTLI_PARAM_SIZE_HINT]: body.length
    }
  })
}

interface Job {
  key: string
  encoding: Encoding
}

/**
 * Returns an encoder that compresses bodies of the memory tier on the threads of Node.js, so that the event loop goes on serving. It
 * encodes each body once and stores the result beside the plain body. The queue holds keys only, so that it does not keep evicted or
 * replaced entries alive.
 */
export function createEncoder ({ memory, onError }: EncoderOptions): Encoder {
  const waiting = new Map<string, Job>()
  const running = new Set<string>()
  const made = Object.fromEntries(encodings.map(encoding => [encoding, 0])) as Record<Encoding, number>

  function want (key: string, entry: Entry, encoding: Encoding): void {
    if (entry.encoded?.[encoding] !== undefined || waiting.size >= mostWaiting) return
    const id = `${encoding} ${key}`
    if (running.has(id) || waiting.has(id)) return
    waiting.set(id, { key, encoding })
    startNext()
  }

  function startNext (): void {
    if (running.size >= mostRunning) return
    const [first] = waiting
    if (first === undefined) return
    const [id, job] = first
    waiting.delete(id)
    running.add(id)
    void encode(job).finally(() => {
      running.delete(id)
      startNext()
    })
  }

  async function encode ({ key, encoding }: Job): Promise<void> {
    const entry = memory.peek(key)
    if (entry === undefined || entry.encoded?.[encoding] !== undefined) return
    try {
      const body = await compress[encoding](entry.body)
      made[encoding]++
      const smaller = body.length < entry.body.length
      memory.addEncoded(key, entry, encoding, smaller ? { body, etag: encodedTag(entry.etag, encoding), encoding } : null)
    } catch (error) {
      // Records the failure, so that the encoder does not try again for this entry.
      memory.addEncoded(key, entry, encoding, null)
      onError(error)
    }
  }

  return { want, made }
}
