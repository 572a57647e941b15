import { createReadStream } from 'node:fs'
import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import { decodeUtf8 } from '../../records/decode.ts'
import { readLines } from '../../records/lines.ts'

/** A line that was not delivered, with its reason and the `body` that was sent, or the line's `text` if it held no body. */
export interface Rejection {
  line: number
  reason: string
  /** JSON text. */
  body?: string
  text?: string
}

/** The file of rejected lines: one JSON object per line. */
export interface RejectedFile {
  readonly path: string
  add: (rejection: Rejection) => void
  /** Resolves when the file holds every added rejection. @throws the first error of writing it */
  written: () => Promise<void>
  /** Closes the file. Without a rejection, no file is created. @throws the first error of writing it */
  close: () => Promise<void>
}

/**
 * Opens the file of rejected lines beside a file.
 * @param upTo the line at which an earlier run ended. Rejections of later lines are removed, since those lines are sent again.
 */
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

/** Returns the line of a rejection; `Infinity` if its text was cut off while it was written. */
function lineOf (text: string): number {
  try {
    return (JSON.parse(text) as Rejection).line
  } catch {
    return Infinity
  }
}
