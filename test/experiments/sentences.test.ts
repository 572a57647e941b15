import t from 'tap'
import { percent, probability, signed } from '../../src/experiments/sentences.ts'

t.test('percentages have one decimal, more where they would be 0, and a sign of their own', async t => {
  t.strictSame([0, 0.042, -0.031, 1.4, 12.345, -0.0004].map(percent), ['0.0 %', '4.2 %', '−3.1 %', '140.0 %', '1,234.5 %', '−0.040 %'])
  t.strictSame([0, 0.079, -0.031].map(signed), ['0.0 %', '+7.9 %', '−3.1 %'])
  t.equal(percent(1e-12), '0.000000 %')
})

t.test('p-values have two digits', async t => {
  t.strictSame([1, 0.5, 0.0341, 0.00012, 1e-9, 0].map(probability), ['= 1.00', '= 0.50', '= 0.034', '= 0.00012', '< 0.0001', '< 0.0001'])
})
