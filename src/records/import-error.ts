import { UserError } from '../base/user-error.ts'

/** Bad lines that are listed one by one, at most. */
const mostListed = 20

/** Thrown for a file that was refused as a whole. Lists its bad lines. */
export class ImportError extends UserError {
  readonly lines: BadLines

  constructor (lines: BadLines) {
    super(`refused, nothing was imported:\n${lines.toString()}`)
    this.name = 'ImportError'
    this.lines = lines
  }
}

/** The bad lines of a file: counts all of them, and lists the first ones. */
export class BadLines {
  count = 0
  readonly listed: Array<{ line: number, problem: string }> = []

  add (line: number, problem: string): void {
    this.count++
    if (this.listed.length < mostListed) this.listed.push({ line, problem })
  }

  /** Does nothing without bad lines. @throws ImportError if any line was bad */
  refuse (): void {
    if (this.count > 0) throw new ImportError(this)
  }

  toString (): string {
    const lines = this.listed.map(({ line, problem }) => `  line ${line}: ${problem}`)
    const more = this.count - this.listed.length
    return [...lines, ...more > 0 ? [`  and ${more} more`] : []].join('\n')
  }
}
