import t from 'tap'
import { latestTime, parseTime } from '../../src/base/time.ts'

const second = 1_700_000_000
const good: ReadonlyArray<readonly [string | number, number]> = [
  [second, second * 1000],
  [String(second), second * 1000],
  [second + 0.25, second * 1000 + 250],
  [`${second}.5`, second * 1000 + 500],
  [second * 1000, second * 1000],
  [String(second * 1000), second * 1000],
  [0, 0],
  ['2024-05-06T07:08:09', Date.UTC(2024, 4, 6, 7, 8, 9)],
  ['2024-05-06 07:08', Date.UTC(2024, 4, 6, 7, 8)],
  [latestTime, latestTime],
  ['2024-05-06T07:08:09Z', Date.UTC(2024, 4, 6, 7, 8, 9)],
  ['2024-05-06T07:08:09.123Z', Date.UTC(2024, 4, 6, 7, 8, 9, 123)],
  ['2024-05-06T09:08:09+02:00', Date.UTC(2024, 4, 6, 7, 8, 9)],
  ['2024-05-06', Date.UTC(2024, 4, 6)]
]

for (const [time, expected] of good) {
  t.test(`a time is read from ${JSON.stringify(time)}`, async t => {
    t.equal(parseTime(time), expected)
  })
}

for (const time of ['', 'soon', 'null', NaN, Infinity, -1, '-5', 1e17, '99999999999999999999', '2024-13-01', '2024-02-30', '2024', latestTime + 1, 1_700_000_000_000_000, '2024-05-06T25:00:00Z', '1900-01-01T00:00:00Z', 'item 5', 'user-12']) {
  t.test(`no time is read from ${JSON.stringify(time)} (${String(time)})`, async t => {
    t.equal(parseTime(time), undefined)
  })
}
