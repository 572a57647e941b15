/** So many bad lines are listed before an import gives up. */
const mostListed = 20

/** A file that was refused, with the lines that are bad. Nothing of it was taken over. */
export class ImportError extends Error {
  readonly lines: ReadonlyArray<{ line: number, problem: string }>

  constructor (lines: ReadonlyArray<{ line: number, problem: string }>) {
    const more = lines.length >= mostListed ? '\n  …' : ''
    super(`refused, nothing was imported:\n${lines.map(({ line, problem }) => `  line ${line}: ${problem}`).join('\n')}${more}`)
    this.name = 'ImportError'
    this.lines = lines
  }
}

/** Collects bad lines and ends the import when there are too many to be useful. */
export class BadLines {
  readonly #lines: Array<{ line: number, problem: string }> = []

  /** @throws ImportError with the twentieth */
  add (line: number, problem: string): void {
    this.#lines.push({ line, problem })
    if (this.#lines.length >= mostListed) this.refuse()
  }

  /** @throws ImportError where any line was bad */
  refuse (): void {
    if (this.#lines.length > 0) throw new ImportError(this.#lines)
  }
}
