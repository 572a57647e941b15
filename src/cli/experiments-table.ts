import type { ExperimentReport, MetricReport } from '../experiments/report.ts'
import { count, many, percent, probability, signed } from '../experiments/sentences.ts'

/** The most columns of a line. */
const width = 120

/** The least width of a column of names, which are cut where there is no room. */
const narrowest = 8

interface Column {
  readonly title: string
  readonly cells: readonly string[]
  readonly isName?: boolean
}

/** Returns the lines that show a report in a terminal: a table of at most 120 columns, and the sentences. */
export function reportLines (report: ExperimentReport): string[] {
  const { namespace, action, recommender, feature, method, users, metrics, split, multiple, positions, warnings } = report
  const told = [
    ...metrics.flatMap(metric => sentencesOf(metric)),
    ...metrics.filter(({ unexposed }) => unexposed > 0).map(({ metric, unexposed }) => `${metric}: ${many(unexposed, 'conversion')} of users without an exposure, counted for no variation`),
    ...split === undefined || split.mismatch ? [] : [`split: ${split.sentence}`],
    ...positions?.share === undefined ? [] : [`positions: ${percent(positions.share)} of ${count(positions.all)} were contested`],
    ...multiple.users === 0 || warnings.length > 0 ? [] : [`${many(multiple.users, 'user')} (${percent(multiple.share)}) seen in more than one variation`],
    ...warnings.map(warning => `warning: ${warning}`)
  ]
  return [
    ...wrapped(`${namespace}/${action}/${recommender}/${feature}: ${method}, ${many(users, 'user')}`, ''),
    ...metrics.length === 0 ? table(report.variations.length === 0 ? [] : usersColumns(report)) : table(columnsOf(metrics)),
    ...told.flatMap(sentence => wrapped(sentence, '  '))
  ]
}

function sentencesOf ({ metric, results = [], preference }: MetricReport): string[] {
  return [
    ...results.slice(1).map(({ variation, sentence }) => `${metric}, ${variation}: ${sentence}`),
    ...preference === undefined ? [] : [`${metric}: ${preference.sentence}`]
  ]
}

function usersColumns ({ variations }: ExperimentReport): Column[] {
  return [{ title: 'variation', isName: true, cells: variations.map(({ variation }) => variation) }, { title: 'users', cells: variations.map(({ users }) => count(users)) }]
}

function columnsOf (metrics: readonly MetricReport[]): Column[] {
  if (metrics.some(({ preference }) => preference !== undefined)) {
    const rows = metrics.flatMap(({ metric, preference }) => preference === undefined ? [] : [{ metric, ...preference }])
    return [
      { title: 'metric', isName: true, cells: rows.map(({ metric }) => metric) },
      { title: 'users', cells: rows.map(({ users }) => count(users)) },
      { title: 'with a difference', cells: rows.map(({ decided }) => count(decided)) },
      { title: 'for the second', cells: rows.map(({ share }) => share === undefined ? '' : percent(share)) },
      { title: 'between', cells: rows.map(({ from, to }) => from === undefined || to === undefined ? '' : `${percent(from)} … ${percent(to)}`) },
      { title: 'p', cells: rows.map(({ p }) => shownP(p)) }
    ]
  }
  const rows = metrics.flatMap(({ metric, results = [] }) => results.map(result => ({ metric, ...result })))
  return [
    { title: 'metric', isName: true, cells: rows.map(({ metric }) => metric) },
    { title: 'variation', isName: true, cells: rows.map(({ variation }) => variation) },
    { title: 'users', cells: rows.map(({ users }) => count(users)) },
    { title: 'converted', cells: rows.map(({ converted }) => count(converted)) },
    { title: 'rate or mean', cells: rows.map(({ rate, mean }) => rate !== undefined ? percent(rate) : mean?.toLocaleString('en-US', { maximumSignificantDigits: 5 }) ?? '') },
    { title: 'lift', cells: rows.map(({ lift }) => lift === undefined ? '' : signed(lift)) },
    { title: 'between', cells: rows.map(({ from, to }) => from === undefined || to === undefined ? '' : `${signed(from)} … ${signed(to)}`) },
    { title: 'p', cells: rows.map(({ p }) => shownP(p)) }
  ]
}

function shownP (p: number | undefined): string {
  return p === undefined ? '' : probability(p).replace('= ', '')
}

/** Returns a table: names to the left, numbers to the right. */
function table (columns: readonly Column[]): string[] {
  const shown = columns.map(column => ({ ...column, cells: [column.title, ...column.cells].map(clean) }))
  const widthOf = ({ cells }: Column): number => Math.max(...cells.map(cell => [...cell].length))
  const names = shown.filter(({ isName }) => isName)
  const taken = shown.filter(({ isName }) => isName !== true).reduce((sum, column) => sum + widthOf(column), 2 * columns.length)
  const room = Math.max(narrowest, Math.floor((width - taken) / Math.max(1, names.length)))
  const rows = shown[0]?.cells.map((_, row) => `  ${shown.map(column => {
    const size = column.isName === true ? Math.min(room, widthOf(column)) : widthOf(column)
    const cell = cut(column.cells[row]!, size)
    return column.isName === true ? cell.padEnd(size) : cell.padStart(size)
  }).join('  ')}`.trimEnd())
  return (rows ?? []).map(row => cut(row, width))
}

/** Returns a text in lines of at most 120 columns, each with an indent. */
function wrapped (text: string, indent: string): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of clean(text).split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (indent.length + longer.length <= width || line === '') line = longer
    else {
      lines.push(line)
      line = `  ${word}`
    }
  }
  return [...lines, line].map(line => cut(`${indent}${line}`, width))
}

/** Returns a text without the characters that a terminal would obey. */
function clean (text: string): string {
  return text.replace(/\p{C}/gu, '·')
}

function cut (text: string, size: number): string {
  const characters = [...text]
  return characters.length <= size ? text : `${characters.slice(0, size - 1).join('')}…`
}
