import t from 'tap'
import { BadLines, ImportError } from '../../src/records/import-error.ts'

t.test('without bad lines nothing is refused', async t => {
  t.doesNotThrow(() => new BadLines().refuse())
})

t.test('a refusal tells the lines and what is wrong with them', async t => {
  const bad = new BadLines()
  bad.add(3, 'is not JSON')
  bad.add(9, 'id: is missing')
  t.throws(() => bad.refuse(), new ImportError(bad))
  t.match(new ImportError(bad).message, /line 3: is not JSON\n.*line 9: id: is missing$/)
})

t.test('of many lines the first are told and the others counted', async t => {
  const bad = new BadLines()
  for (let line = 1; line <= 25; line++) bad.add(line, 'x')
  t.equal(bad.count, 25)
  t.strictSame(bad.listed.map(({ line }) => line), Array.from({ length: 20 }, (_, i) => i + 1))
  t.match(bad.toString(), /and 5 more$/)
})
