import t from 'tap'
import { valuesOf } from '../support/derive.ts'
import type { testSurroundings } from '../support/surroundings.ts'

type Request = Parameters<typeof testSurroundings>
type Row = [operator: string, value: string | number, ...holds: Array<0 | 1>]

/** Compares what a rule does with each request to what the table says it does. */
function check (name: string, rule: object, requests: Record<string, Request>, table: Row[]): void {
  t.test(name, async t => {
    const columns = Object.keys(requests)
    for (const [operator, value, ...expected] of table) {
      const rules = [{ ...rule, valueMappings: [{ operator, value, mapTo: 'yes' }] }]
      const actual = columns.map(column => valuesOf({ rules }, ...requests[column]!)?.[0] === 'yes' ? 1 : 0)
      const row = (holds: Array<0 | 1>): object => Object.fromEntries(columns.map((column, i) => [column, holds[i]]))
      t.strictSame(row(actual), row(expected), `${operator} ${JSON.stringify(value)}`)
    }
  })
}

const header = (value: string): Request => [{ 'x-header': value }]
const headerRule = { type: 'header-value', header: 'X-Header' }

check('the text of a header against texts', headerRule, {
  'summer-sale': header('summer-sale'), 'winter-sale': header('winter-sale'), 'Summer-Sale': header('Summer-Sale'), '%ff;': header('%ff;'), empty: header(''), missing: []
}, [
  // Each row: summer-sale, winter-sale, Summer-Sale, malformed, empty, missing
  ['equals', 'summer-sale', 1, 0, 0, 0, 0, 0],
  ['equals', '', 0, 0, 0, 0, 1, 0],
  ['less-than', 'trip', 1, 0, 1, 1, 1, 0],
  ['less-than', 'summer-sale', 0, 0, 1, 1, 1, 0],
  ['greater-than', 'trip', 0, 1, 0, 0, 0, 0],
  ['greater-than', 'summer-sale', 0, 1, 0, 0, 0, 0],
  ['greater-than', '', 1, 1, 1, 1, 0, 0],
  ['contains', 'mm', 1, 0, 1, 0, 0, 0],
  ['contains', '', 1, 1, 1, 1, 1, 0],
  ['starts-with', 'summer', 1, 0, 0, 0, 0, 0],
  ['start-with', 'summer', 1, 0, 0, 0, 0, 0],
  ['starts-with', 'sale', 0, 0, 0, 0, 0, 0],
  ['ends-with', 'summer', 0, 0, 0, 0, 0, 0],
  ['ends-with', 'r-sale', 1, 1, 0, 0, 0, 0],
  ['end-with', 'r-sale', 1, 1, 0, 0, 0, 0]
])

check('a header against numbers is a number', headerRule, {
  nine: header('9'), ten: header('10.0'), eleven: header('11'), '-0': header('-0'), '1e1': header('1e1'), few: header('few'), '0xA': header('0xA'), '10 GB': header('10 GB'), empty: header(''), missing: []
}, [
  // Each row: 9, 10.0, 11, -0 and 1e1, then malformed: few, 0xA, 10 GB, then empty, missing
  ['equals', 10, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0],
  ['equals', 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0],
  ['less-than', 10, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0],
  ['greater-than', 9, 0, 1, 1, 0, 1, 0, 0, 0, 0, 0],
  ['less-than', '10', 0, 0, 0, 1, 0, 0, 1, 0, 1, 0],
  ['contains', 0, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0],
  ['starts-with', 1, 0, 1, 1, 0, 1, 0, 0, 1, 0, 0],
  ['ends-with', 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0]
])

const at = '2026-01-14T10:30:00Z'
const zone = (name: string): Request => [{ 'cloudfront-viewer-time-zone': name }, { at }]
const zones = { Kiritimati: zone('Pacific/Kiritimati'), Pago_Pago: zone('Pacific/Pago_Pago'), 'Mars/Olympus': zone('Mars/Olympus'), empty: zone(''), missing: [{}, { at }] satisfies Request }

check('hour of the day', { type: 'hour-of-day' }, zones, [
  // There it is 0 and 23 o'clock; elsewhere the default zone counts, where it is 10.
  ['equals', 0, 1, 0, 0, 0, 0],
  ['equals', '23', 0, 1, 0, 0, 0],
  ['equals', 10, 0, 0, 1, 1, 1],
  ['equals', '', 0, 0, 0, 0, 0],
  ['equals', 'ten', 0, 0, 0, 0, 0],
  ['less-than', 10, 1, 0, 0, 0, 0],
  ['less-than', '9', 1, 0, 0, 0, 0],
  ['greater-than', 9, 0, 1, 1, 1, 1],
  ['greater-than', '9', 0, 1, 1, 1, 1],
  ['contains', 3, 0, 1, 0, 0, 0],
  ['starts-with', '2', 0, 1, 0, 0, 0],
  ['start-with', 1, 0, 0, 1, 1, 1],
  ['ends-with', 0, 1, 0, 1, 1, 1],
  ['end-with', '0', 1, 0, 1, 1, 1]
])

check('day of the week', { type: 'day-of-week' }, zones, [
  // There it is Thursday 3 and Tuesday 1; elsewhere the default zone counts, where it is Wednesday 2.
  ['equals', 3, 1, 0, 0, 0, 0],
  ['equals', '1', 0, 1, 0, 0, 0],
  ['equals', 2, 0, 0, 1, 1, 1],
  ['less-than', 2, 0, 1, 0, 0, 0],
  ['greater-than', '2', 1, 0, 0, 0, 0],
  ['contains', 1, 0, 1, 0, 0, 0],
  ['starts-with', '2', 0, 0, 1, 1, 1],
  ['start-with', '3', 1, 0, 0, 0, 0],
  ['ends-with', 3, 1, 0, 0, 0, 0],
  ['end-with', '2', 0, 0, 1, 1, 1]
])

const latitude = (text: string): Request => [{ 'cloudfront-viewer-latitude': text }, { at: '2026-07-01T12:00:00Z' }]

for (const type of ['season-of-year', 'season']) {
  check(`season of the year, called ${type}`, { type }, {
    south: latitude('-33.86880'), north: latitude('52.51960'), malformed: latitude('33 S'), empty: latitude(''), missing: [{}, { at: '2026-07-01T12:00:00Z' }]
  }, [
    // In the south it is winter 3; elsewhere summer 1.
    ['equals', 3, 1, 0, 0, 0, 0],
    ['equals', '1', 0, 1, 1, 1, 1],
    ['less-than', 3, 0, 1, 1, 1, 1],
    ['greater-than', '1', 1, 0, 0, 0, 0],
    ['contains', 3, 1, 0, 0, 0, 0],
    ['starts-with', '1', 0, 1, 1, 1, 1],
    ['start-with', 3, 1, 0, 0, 0, 0],
    ['ends-with', '3', 1, 0, 0, 0, 0],
    ['end-with', 1, 0, 1, 1, 1, 1]
  ])
}
