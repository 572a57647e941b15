import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { UserError } from '../../base/user-error.ts'

/** How far a replay is: what it knows of all lines up to one. */
export interface Position {
  /** All lines up to this one are done. */
  line: number
  delivered: number
  rejected: number
}

/** What is sent, and where: a position of something else is none. */
interface Subject {
  size: number
  mtimeMs: number
  namespace: string
  url: string
}

export interface PositionFile {
  /** Where an earlier run ended. */
  readonly start: Position
  /** Puts the file in the place of the one before, whole. */
  save: (position: Position) => Promise<void>
  remove: () => Promise<void>
}

export interface PositionOptions {
  namespace: string
  url: string
  /** Whether an earlier run does not count. */
  fromStart: boolean
}

/** Finds the position of a file, beside it. @throws UserError where it is of something else */
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

/** A line that is under way, or done. */
export interface Mark {
  readonly line: number
  outcome?: 'delivered' | 'rejected'
}

/** Follows lines that are done in any order. */
export class Progress {
  readonly position: Position
  /** Those behind the position, in their order. */
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
    // What is done makes room once in a while, since moving all the rest each time would cost more.
    if (this.#first > this.#marks.length / 2) {
      this.#marks.splice(0, this.#first)
      this.#first = 0
    }
  }

  /** Lines from the first one that is not done on. */
  get span (): number {
    return this.#marks.length - this.#first
  }
}
