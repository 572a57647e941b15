import { createReadStream } from 'node:fs'
import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import { decodeUtf8 } from '../../records/decode.ts'
import { readLines } from '../../records/lines.ts'

/** What became of a line that was not delivered: with the body as it was sent, or the line where it was no body. */
export interface Rejection {
  line: number
  reason: string
  /** JSON text. */
  body?: string
  text?: string
}

/** The file of lines that were rejected, a JSON object each. */
export interface RejectedFile {
  readonly path: string
  add: (rejection: Rejection) => void
  /** Resolves when all that was added is in the file. @throws what was in the way */
  written: () => Promise<void>
  /** An empty one is not left behind. */
  close: () => Promise<void>
}

/** @param upTo the line where an earlier run ended: what it rejected behind it is sent anew, and told anew */
export async function openRejected (file: string, upTo: number): Promise<RejectedFile> {
  const path = `${file}.rejected.jsonl`
  let handle: FileHandle | undefined
  let text = ''
  let writing = Promise.resolve()
  let failure: Error | undefined
  if (upTo === 0) await rm(path, { force: true })
  else await cutBehind(path, upTo)

  async function write (): Promise<void> {
    if (text === '') return
    const next = text
    text = ''
    handle ??= await open(path, 'a')
    await handle.appendFile(next)
  }

  async function written (): Promise<void> {
    await writing
    if (failure !== undefined) throw failure
  }

  return {
    path,
    add ({ line, reason, body, text: source }) {
      text += `${JSON.stringify({ line, reason, text: source }).slice(0, -1)}${body === undefined ? '' : `,"body":${body}`}}\n`
      writing = writing.then(write).catch((error: unknown) => { failure ??= error as Error })
    },
    written,
    async close () {
      try {
        await written()
      } finally {
        await handle?.close()
      }
    }
  }
}

async function cutBehind (path: string, upTo: number): Promise<void> {
  const next = `${path}.next`
  const handle = await open(next, 'w')
  let kept = 0
  try {
    for await (const lines of readLines(decodeUtf8(createReadStream(path)), Infinity)) {
      const texts = lines.filter(({ text }) => lineOf(text) <= upTo).map(({ text }) => `${text}\n`)
      kept += texts.length
      await handle.appendFile(texts.join(''))
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  } finally {
    await handle.close()
  }
  if (kept > 0) await rename(next, path)
  else await Promise.all([next, path].map(async path => rm(path, { force: true })))
}

/** Of a line that was cut off when it was written: behind every other. */
function lineOf (text: string): number {
  try {
    return (JSON.parse(text) as Rejection).line
  } catch {
    return Infinity
  }
}
