const delimiters = [',', ';', '\t', '|']

/** The line above the header by which Excel is told the delimiter. */
const told = /^sep=(.)\r?$/i

export interface TableHead {
  delimiter: string
  /** The line above the header, which is no record; absent in most files. */
  preamble?: string
}

/**
 * Recognises the delimiter of a table.
 * @param head the beginning of its text, with its header line
 * @param own the delimiter of the file's format, which is preferred
 * @param wanted columns that the header must have; of each list, one
 */
export function tableHead (head: string, own: string, wanted: ReadonlyArray<readonly string[]>): TableHead {
  const line = head.split(/\r\n|\n|\r/).find(line => line.trim() !== '') ?? ''
  const [, delimiter] = told.exec(line) ?? []
  if (delimiter !== undefined) return { delimiter, preamble: line }
  const tables = [own, ...delimiters.filter(other => other !== own)].map(delimiter => ({ delimiter, cells: cellsOf(line, delimiter) }))
  const fitting = tables.filter(({ cells }) => wanted.every(names => names.some(name => cells.includes(name))))
  if (wanted.length > 0 && fitting[0]?.delimiter === own) return { delimiter: own }
  const [best] = (fitting.length > 0 ? fitting : tables).sort((a, b) => b.cells.length - a.cells.length)
  return { delimiter: best!.delimiter }
}

/** Returns the cells of a header line, without the blanks and the quotes around them. */
function cellsOf (line: string, delimiter: string): string[] {
  const cells: string[] = []
  let cell = ''
  let quoted = false
  for (const character of line) {
    if (character === '"') quoted = !quoted
    if (character === delimiter && !quoted) {
      cells.push(cell)
      cell = ''
    } else {
      cell += character
    }
  }
  return [...cells, cell].map(cell => cell.trim().replace(/^"(.*)"$/, '$1').trim())
}
