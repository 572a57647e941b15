import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { UserError } from '../../base/user-error.ts'

/** The progress of a replay: the last line of those that are done, and their outcomes counted. */
export interface Position {
  /** All lines up to this one are done. */
  line: number
  delivered: number
  rejected: number
}

/** The file and the destination of a replay. The position of another file or destination is refused. */
interface Subject {
  size: number
  mtimeMs: number
  namespace: string
  url: string
}

export interface PositionFile {
  /** The position at which the earlier run ended; line 0 without one. */
  readonly start: Position
  /** Replaces the file as a whole. */
  save: (position: Position) => Promise<void>
  remove: () => Promise<void>
}

export interface PositionOptions {
  namespace: string
  url: string
  /** Whether to ignore the position of an earlier run. */
  fromStart: boolean
}

/** Opens the position file beside a file. @throws UserError if it is damaged, or of another version of the file or another destination */
export async function openPosition (file: string, { namespace, url, fromStart }: PositionOptions): Promise<PositionFile> {
  const path = `${file}.position`
  const { size, mtimeMs } = await stat(file)
  const subject: Subject = { size, mtimeMs, namespace, url }
  return {
    start: (fromStart ? undefined : await readPosition(path, file, subject)) ?? { line: 0, delivered: 0, rejected: 0 },
    async save (position) {
      await writeFile(`${path}.next`, `${JSON.stringify({ ...subject, ...position })}\n`)
      await rename(`${path}.next`, path)
    },
    async remove () {
      await Promise.all([path, `${path}.next`].map(async path => rm(path, { force: true })))
    }
  }
}

async function readPosition (path: string, file: string, subject: Subject): Promise<Position | undefined> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return undefined
  const saved = parse(text)
  const anew = '; --from-start begins anew'
  if (saved === undefined) throw new UserError(`${path} is not the position of a replay${anew}`)
  if (saved.size !== subject.size || saved.mtimeMs !== subject.mtimeMs) throw new UserError(`${file} has changed since ${path} was written${anew}`)
  if (saved.namespace !== subject.namespace || saved.url !== subject.url) throw new UserError(`${path} is of a replay to ${saved.namespace} at ${saved.url}${anew}`)
  return { line: saved.line, delivered: saved.delivered, rejected: saved.rejected }
}

function parse (text: string): Subject & Position | undefined {
  try {
    const saved = JSON.parse(text) as Subject & Position
    return [saved.line, saved.delivered, saved.rejected].every(Number.isSafeInteger) ? saved : undefined
  } catch {
    return undefined
  }
}

/** A line that is being sent, or is done. */
export interface Mark {
  readonly line: number
  outcome?: 'delivered' | 'rejected'
}

/** Advances the position while lines finish in any order. */
export class Progress {
  readonly position: Position
  /** The lines after the position, in the order of the file. Those before `#first` are done. */
  readonly #marks: Mark[] = []
  #first = 0

  constructor (start: Position) {
    this.position = { ...start }
  }

  begin (line: number): Mark {
    const mark = { line }
    this.#marks.push(mark)
    return mark
  }

  settle (mark: Mark, outcome: 'delivered' | 'rejected'): void {
    mark.outcome = outcome
    for (let first = this.#marks[this.#first]; first?.outcome !== undefined; first = this.#marks[++this.#first]) {
      this.position.line = first.line
      this.position[first.outcome]++
    }
    // Marks that are done are removed many at a time, since each removal moves all the others.
    if (this.#first > this.#marks.length / 2) {
      this.#marks.splice(0, this.#first)
      this.#first = 0
    }
  }

  /** The number of lines from the first unfinished one on. */
  get span (): number {
    return this.#marks.length - this.#first
  }
}
