import t from 'tap'
import { draft, type Drafted } from '../../src/experiments/draft.ts'

const blend = (first: string, second: string, size: number, firstBegins: (round: number) => boolean = () => true): string =>
  draft([...first], [...second], { idOf: item => item, size, firstBegins }).map(({ item, team }: Drafted<string>) => `${item}${team ?? '-'}`).join(' ')

t.test('rounds of two: the same item once and for no team, different ones as a pair', async t => {
  t.equal(blend('abcd', 'axyz', 7), 'a- b0 x1 c0 y1 d0 z1')
  t.equal(blend('abcd', 'axyz', 7, round => round % 2 === 0), 'a- x1 b0 c0 y1 z1 d0')
})

t.test('an item that the other list has placed is passed over', async t => {
  t.equal(blend('abc', 'bad', 4), 'a0 b1 c0 d1')
})

t.test('when one list ends, the rest of the other follows for no team', async t => {
  t.equal(blend('a', 'xyz', 4), 'a0 x1 y- z-')
  t.equal(blend('', 'xy', 4), 'x- y-')
  t.equal(blend('', '', 4), '')
})

t.test('half a pair at the end counts for nobody, and pages agree', async t => {
  t.equal(blend('abcd', 'wxyz', 3), 'a0 w1 b-')
  const coin = (round: number): boolean => [true, false, false, true][round % 4]!
  const ids = (size: number): string => blend('abcdefgh', 'stuvwxyz', size, coin).replace(/[01-]/g, '')
  t.ok(ids(12).startsWith(ids(7)))
})

t.test('both teams have equally many items that count, whatever the lists', async t => {
  for (let seed = 1; seed < 200; seed++) {
    const list = (by: number): string[] => Array.from({ length: 10 }, (_, i) => String((i * by + seed) % 17))
    const drafted = draft(list(3), list(5), { idOf: item => item, size: 1 + seed % 15, firstBegins: round => (seed >> round % 5) % 2 === 0 })
    const of = (team: 0 | 1): number => drafted.filter(item => item.team === team).length
    t.equal(of(0), of(1))
    t.equal(new Set(drafted.map(({ item }) => item)).size, drafted.length)
  }
})
