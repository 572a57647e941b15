import t from 'tap'
import { compileMapping } from '../../src/origins/mapping.ts'
import { requests } from '../support/open-origin.ts'

const request = requests['predicted-ratings']
const text = 'x'.repeat(100_000)
const big = { text, texts: Array.from({ length: 500 }, () => 'y'.repeat(1000)) }

/** Expressions of a few characters that make hundreds of megabytes or compute for minutes, by the part of JSONata that does it. */
const huge: Record<string, string> = {
  '$pad of an empty text': "$pad('', 200000000, 'ab')",
  '$pad to the left': "$pad('x', -200000000)",
  '$pad with a long pad': "$pad('', 1000000, text)",
  '$pad, many times over': '[1..9999].$pad("", 1900000)',
  '$pad as an argument': '$map([1..9999], function($n) { $pad("", 1900000) })',
  'a partial $pad as an argument': '$map([1900000..1909999], $pad("", ?))',
  'a partial $join as an argument': '($s := $map([1..99], $string); $map($map([1..9999], $string), $join([text, text, text, text, text], ?)))',
  '$join of one text many times': '$join([1..9999].$$.text)',
  '$join with a long separator': '$join([1..9999].$string(), $$.text)',
  '$replace with a long replacement': '$replace(text, "x", text)',
  '$split into characters': '$split(text, "")',
  '$split into as many parts': '$split(text, "x")',
  'the doubling of a text': '($f := function($s, $n) { $n = 0 ? $s : $f($s & $s, $n - 1) }; $f("xx", 28))',
  'the doubling of a text by a fold': '$reduce([1..60], function($s, $n) { $s & $s }, "x")',
  'the doubling of a list': '$reduce([1..60], function($l, $n) { [[$l, $l]] }, [1])',
  'the doubling of an object': '$reduce([1..60], function($o, $n) { {"a": $o, "b": $o} }, {"a": 1})',
  'the comparison of doubled lists': '($x := $reduce([1..28], function($l, $n) { [[$l], [$l]] }, [1]); $x = $x)',
  'the doubling of an object by transforming it': '$reduce([1..40], function($o, $n) { $o ~> |$|{"a": $o, "b": $o}| }, {"a": 1})',
  'the text of an indented deep value': '($x := $reduce([1..150], function($l, $n) { [[$l]] }, [[1..9999]]); $string($x, true))',
  'a value nested without end': '$reduce([1..9999], function($l, $n) { [[$l]] }, [1])',
  '$zip of many lists': `$zip(${Array.from({ length: 500 }, () => '[1..9999]').join(', ')})`,
  '$append without end': '$reduce([1..60], function($l, $n) { $append($l, $l) }, [1, 2])',
  '$spread of what grows': '[1..9999].$$.texts.{"a": $}',
  '$distinct of objects': '$distinct([1..9999].{"a": $, "b": {"c": $}})',
  'a picture of a time that is wide': '$fromMillis(0, "[Y,200000000-200000000]")',
  'the same of now': '$now("[Y,200000000-200000000]")',
  'a long picture of a number': '$formatNumber(1, $pad("", 100000, "0"))',
  'a long picture of an integer': '$formatInteger(1, $pad("", 100000, "0"))',
  'an integer in Roman numerals': '$formatInteger(1e15, "I")',
  'base64 of what grows': '$reduce([1..60], function($s, $n) { $base64encode($s) }, text)',
  'a URL of what grows': '$reduce([1..60], function($s, $n) { $encodeUrlComponent($s & "ü") }, text)',
  'a list of a list': '[1..9999].[1..9999]',
  'a range of ten millions': '[1..1e7]',
  'functions without end': '[1..9999].($map([1..9999], $string))'
}

for (const [name, expression] of Object.entries(huge)) {
  t.test(`what a mapping makes is bounded: ${name}`, async t => {
    const before = process.memoryUsage.rss()
    const started = performance.now()
    await t.rejects(compileMapping(expression)(big, request), { message: /more than|longer than|timeout|at most|nested|maximum|pictures?|stack|exceed/ })
    t.ok(performance.now() - started < 3000, `${Math.round(performance.now() - started)} ms`)
    t.ok(process.memoryUsage.rss() - before < 150e6, `${Math.round((process.memoryUsage.rss() - before) / 1e6)} MB`)
  })
}

t.test('the error of what is too much names the limit and the place in the expression', async t => {
  await t.rejects(compileMapping("{'a': $pad('', 200000000, 'ab')}")({}, request), { message: 'the mapping makes more than 2,000,000 characters (at character 11)' })
})

t.test('what a mapping usually makes is within the bounds', async t => {
  const usual: ReadonlyArray<readonly [expression: string, expected: unknown]> = [
    ['$pad("7", -3, "0")', '007'],
    ['$join(texts) ~> $length()', 500_000],
    ['$split($replace(text, "x", "y,"), ",", 3)', ['y', 'y', 'y']],
    ['$map(["a", "b"], $uppercase)', ['A', 'B']],
    ['$map([1, 2], $pad("x", ?, "-"))', ['x', 'x-']],
    ['$distinct([1, 2, 1])', [1, 2]],
    ['$formatNumber(1234.5, "#,##0.00")', '1,234.50'],
    ['$formatInteger(14, "w")', 'fourteen'],
    ['$fromMillis(0, "[Y0001]-[M01]-[D01]")', '1970-01-01'],
    ['$now() = $now()', true],
    ['$sort([3, 1, 2], function($a, $b) { $a > $b })', [1, 2, 3]],
    ['{"a": 1} ~> |$|{"b": 2}|', { a: 1, b: 2 }],
    ['$base64decode($base64encode("ü"))', Buffer.from('ü', 'latin1').toString('latin1')]
  ]
  for (const [expression, expected] of usual) t.strictSame(await compileMapping(expression)(big, request), expected, expression)
})

t.test('an answer of 4 MB passes a mapping', async t => {
  const answer = { items: Array.from({ length: 500 }, (_, n) => ({ id: `item-${n}`, score: n, metadata: { text: 'z'.repeat(8000) } })) }
  const mapped = await compileMapping('{"itemList": [items.{"itemId": id, "score": score, "metadata": metadata}]}')(answer, request) as { itemList: unknown[] }
  t.equal(mapped.itemList.length, 500)
})

t.test('other work goes on while a mapping computes', async t => {
  let turns = 0
  const ticking = setInterval(() => { turns++ }, 1)
  t.teardown(() => { clearInterval(ticking) })
  await t.rejects(compileMapping('($f := function($x) { $f($x) }; $f(1))')({}, request), { message: /(longer than 200|timeout after 1000)/ })
  t.ok(turns >= 3, `${turns} turns`)
})
