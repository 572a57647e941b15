import { UserError } from '../base/user-error.ts'

/** So many bad lines are told one by one. */
const mostListed = 20

/** A file that was refused whole, with the lines that are bad. */
export class ImportError extends UserError {
  readonly lines: BadLines

  constructor (lines: BadLines) {
    super(`refused, nothing was imported:\n${lines.toString()}`)
    this.name = 'ImportError'
    this.lines = lines
  }
}

/** The lines of a file that are bad: all counted, the first ones listed. */
export class BadLines {
  count = 0
  readonly listed: Array<{ line: number, problem: string }> = []

  add (line: number, problem: string): void {
    this.count++
    if (this.listed.length < mostListed) this.listed.push({ line, problem })
  }

  /** @throws ImportError where any line was bad */
  refuse (): void {
    if (this.count > 0) throw new ImportError(this)
  }

  toString (): string {
    const lines = this.listed.map(({ line, problem }) => `  line ${line}: ${problem}`)
    const more = this.count - this.listed.length
    return [...lines, ...more > 0 ? [`  and ${more} more`] : []].join('\n')
  }
}
