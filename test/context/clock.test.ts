import t from 'tap'
import { createClock, isZone, seasonOf, type LocalTime } from '../../src/context/clock.ts'
import { valuesOf } from '../support/derive.ts'

const timeIn = (zone: string | undefined, at: string, home?: string): LocalTime => createClock(() => Date.parse(at), home)(zone)

type Row = [zone: string, at: string, hour: number, dayOfWeek: number, month: number, day: number]

function check (name: string, table: Row[]): void {
  t.test(name, async t => {
    for (const [zone, at, hour, dayOfWeek, month, day] of table) t.strictSame(timeIn(zone, at), { hour, dayOfWeek, month, day }, `${zone} ${at}`)
  })
}

check('zones that are not whole hours apart', [
  ['Asia/Kolkata', '2026-01-14T18:29:59Z', 23, 2, 1, 14],
  ['Asia/Kolkata', '2026-01-14T18:30:00Z', 0, 3, 1, 15],
  ['Asia/Kathmandu', '2026-01-14T18:14:59Z', 23, 2, 1, 14],
  ['Asia/Kathmandu', '2026-01-14T18:15:00Z', 0, 3, 1, 15],
  ['Australia/Lord_Howe', '2026-01-14T12:59:59Z', 23, 2, 1, 14],
  ['Australia/Lord_Howe', '2026-01-14T13:00:00Z', 0, 3, 1, 15],
  ['Australia/Lord_Howe', '2026-07-15T13:29:59Z', 23, 2, 7, 15],
  ['Australia/Lord_Howe', '2026-07-15T13:30:00Z', 0, 3, 7, 16]
])

check('clocks put forward and back', [
  ['America/New_York', '2026-03-08T06:59:00Z', 1, 6, 3, 8],
  ['America/New_York', '2026-03-08T07:00:00Z', 3, 6, 3, 8],
  ['America/New_York', '2026-11-01T05:59:00Z', 1, 6, 11, 1],
  ['America/New_York', '2026-11-01T06:00:00Z', 1, 6, 11, 1],
  ['America/New_York', '2026-11-01T07:00:00Z', 2, 6, 11, 1],
  ['Europe/Berlin', '2026-03-29T00:59:00Z', 1, 6, 3, 29],
  ['Europe/Berlin', '2026-03-29T01:00:00Z', 3, 6, 3, 29],
  ['Europe/Berlin', '2026-10-25T00:59:00Z', 2, 6, 10, 25],
  ['Europe/Berlin', '2026-10-25T01:00:00Z', 2, 6, 10, 25],
  ['Europe/Berlin', '2026-10-25T02:00:00Z', 3, 6, 10, 25],
  ['Australia/Sydney', '2026-04-04T15:59:00Z', 2, 6, 4, 5],
  ['Australia/Sydney', '2026-04-04T16:00:00Z', 2, 6, 4, 5],
  ['Australia/Sydney', '2026-04-04T17:00:00Z', 3, 6, 4, 5],
  ['Australia/Sydney', '2026-10-03T15:59:00Z', 1, 6, 10, 4],
  ['Australia/Sydney', '2026-10-03T16:00:00Z', 3, 6, 10, 4],
  // Here by half an hour: 01:59 is followed by 01:30 in April, and by 02:30 in October.
  ['Australia/Lord_Howe', '2026-04-04T14:59:00Z', 1, 6, 4, 5],
  ['Australia/Lord_Howe', '2026-04-04T15:00:00Z', 1, 6, 4, 5],
  ['Australia/Lord_Howe', '2026-04-04T15:30:00Z', 2, 6, 4, 5],
  ['Australia/Lord_Howe', '2026-10-03T15:29:00Z', 1, 6, 10, 4],
  ['Australia/Lord_Howe', '2026-10-03T15:30:00Z', 2, 6, 10, 4]
])

check('the same moment is three days around the date line', [
  ['Pacific/Kiritimati', '2026-01-14T10:30:00Z', 0, 3, 1, 15],
  ['UTC', '2026-01-14T10:30:00Z', 10, 2, 1, 14],
  ['Pacific/Pago_Pago', '2026-01-14T10:30:00Z', 23, 1, 1, 13],
  ['Pacific/Kiritimati', '2026-12-31T10:00:00Z', 0, 4, 1, 1],
  ['Pacific/Pago_Pago', '2027-01-01T10:59:59Z', 23, 3, 12, 31]
])

check('29 February', [
  ['UTC', '2028-02-28T23:59:59Z', 23, 0, 2, 28],
  ['UTC', '2028-02-29T00:00:00Z', 0, 1, 2, 29],
  ['UTC', '2028-03-01T00:00:00Z', 0, 2, 3, 1],
  ['UTC', '2026-03-01T00:00:00Z', 0, 6, 3, 1],
  ['Pacific/Kiritimati', '2028-02-28T10:00:00Z', 0, 1, 2, 29]
])

t.test('a clock goes on', async t => {
  let now = Date.parse('2026-01-14T12:59:58Z')
  const clock = createClock(() => now)
  const hours = [clock('UTC').hour, clock('Asia/Kolkata').hour]
  now += 2_000
  t.strictSame([...hours, clock('UTC').hour, clock('Asia/Kolkata').hour], [12, 18, 13, 18])
  now += 30 * 60_000
  t.equal(clock('Asia/Kolkata').hour, 19)
  now -= 60 * 60_000
  t.strictSame([clock('UTC').hour, clock('Asia/Kolkata').hour], [12, 18], 'and back, where it is set right')
})

const seasons: Array<[month: number, day: number, north: number]> = [
  [1, 1, 3], [2, 28, 3], [2, 29, 3], [3, 20, 3], [3, 21, 0], [6, 20, 0], [6, 21, 1], [9, 22, 1], [9, 23, 2], [12, 22, 2], [12, 23, 3], [12, 31, 3]
]

t.test('seasons begin and end on their days, in both hemispheres', async t => {
  const opposite = [2, 3, 0, 1]
  for (const [month, day, north] of seasons) {
    const time = { hour: 0, dayOfWeek: 0, month, day }
    t.strictSame([seasonOf(time, false), seasonOf(time, true)], [north, opposite[north]], `${month}-${day}`)
  }
})

t.test('a season begins at midnight where the user is', async t => {
  const season = (zone: string, at: string): readonly string[] | undefined =>
    valuesOf({ rules: [{ type: 'season-of-year' }] }, { 'cloudfront-viewer-time-zone': zone }, { at })
  t.strictSame(season('Pacific/Kiritimati', '2026-03-20T09:59:59Z'), ['3'])
  t.strictSame(season('Pacific/Kiritimati', '2026-03-20T10:00:00Z'), ['0'])
  t.strictSame(season('Pacific/Pago_Pago', '2026-03-21T10:59:59Z'), ['3'])
  t.strictSame(season('Pacific/Pago_Pago', '2026-03-21T11:00:00Z'), ['0'])
})

t.test('the latitude is a number of degrees; on the equator and where there is none it is as in the north', async t => {
  const at = '2026-07-01T12:00:00Z'
  const season = (latitude: string): number => Number(valuesOf({ rules: [{ type: 'season-of-year' }] }, { 'cloudfront-viewer-latitude': latitude }, { at })?.[0])
  const north = ['0', '-0', '0.0', '-0.0000', '0.0001', '47.36667', '+47', '90', '90.0001', '']
  const malformed = ['south', '33 S', '-33,9', '--1', '-', '-33.9.1', '-0x21', '-Infinity', 'NaN', '-90.0001', '-1e3', '-1 -2', '-33.9, -33.9']
  for (const latitude of [...north, ...malformed]) t.equal(season(latitude), 1, latitude)
  for (const latitude of ['-0.0001', '-33.86880', ' -9 ', '-90', '-9e1']) t.equal(season(latitude), 3, latitude)
})

t.test('X-Viewer-Hemisphere decides the season before the latitude does', async t => {
  const at = '2026-07-01T12:00:00Z'
  const season = (hemisphere: string, latitude: string): number =>
    Number(valuesOf({ rules: [{ type: 'season-of-year' }] }, { 'x-viewer-hemisphere': hemisphere, 'cloudfront-viewer-latitude': latitude }, { at })?.[0])
  for (const south of ['S', 's', ' S ']) t.equal(season(south, '47.4'), 3, south)
  for (const north of ['N', 'n']) t.equal(season(north, '-33.9'), 1, north)
  for (const neither of ['', 'E', 'SN', 'S, S', 'south', '-1']) t.strictSame([season(neither, '-33.9'), season(neither, '47.4')], [3, 1], neither)
})

t.test('a zone that does not exist is the default zone', async t => {
  const at = '2026-01-14T20:00:00Z'
  const hostile = ['Mars/Olympus', '', ' ', 'A'.repeat(65), 'A'.repeat(100_000), 'Europe/Berlin\0', 'Europe/\nBerlin', '\x1b[2J', '../../etc/localtime', 'Europe/Berlin, Asia/Tokyo', '__proto__', 'constructor', '+99:99', '🕰']
  for (const zone of [undefined, ...hostile]) {
    t.equal(timeIn(zone, at).hour, 20, JSON.stringify(zone ?? 'none').slice(0, 30))
    t.strictSame(timeIn(zone, at, 'Asia/Tokyo'), { hour: 5, dayOfWeek: 3, month: 1, day: 15 })
    if (zone !== undefined) t.notOk(isZone(zone))
  }
  t.throws(() => createClock(Date.now, 'Mars/Olympus'), RangeError)
  t.ok(isZone('Asia/Kathmandu'))
})

t.test('names of zones are the same in any case', async t => {
  for (const zone of ['Asia/Tokyo', 'asia/tokyo', 'ASIA/TOKYO']) t.equal(timeIn(zone, '2026-01-14T20:00:00Z').hour, 5)
})

t.test('ten thousand names of zones take no more room than some', async t => {
  const clock = createClock(() => Date.parse('2026-01-14T20:00:00Z'))
  // Real ones, written in ten thousand ways: a zone takes tens of kilobytes.
  const letters = [...'america/argentina/comodrivadavia']
  const spelling = (n: number): string => letters.map((letter, i) => (n >> i % 14) & 1 ? letter.toUpperCase() : letter).join('')
  const before = process.memoryUsage.rss()
  for (let n = 0; n < 10_000; n++) {
    if (clock(spelling(n)).hour !== 17) t.fail(spelling(n))
    if (clock(`Nowhere/${n}`).hour !== 20) t.fail(String(n))
  }
  const grown = (process.memoryUsage.rss() - before) / 2 ** 20
  t.ok(grown < 100, `${Math.round(grown)} MiB`)
  t.equal(clock('Asia/Tokyo').hour, 5)
})
