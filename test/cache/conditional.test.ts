import t from 'tap'
import { evaluate, namedTag, type Verdict } from '../../src/cache/conditional.ts'

const etag = '"abc-_1"'

const ifNoneMatch: Array<[field: string, verdict: Verdict]> = [
  ['"abc-_1"', 'not-modified'],
  ['W/"abc-_1"', 'not-modified'],
  ['*', 'not-modified'],
  [' * ', 'not-modified'],
  ['"x", "abc-_1"', 'not-modified'],
  ['"x","abc-_1","y"', 'not-modified'],
  ['W/"x" , W/"abc-_1"', 'not-modified'],
  [', ,"abc-_1",', 'not-modified'],
  ['"a,b", "abc-_1"', 'not-modified'],
  ['"\x80\xff", "abc-_1"', 'not-modified'],
  ['"x"', 'send'],
  ['', 'send'],
  ['abc-_1', 'send'],
  ['"abc-_1', 'send'],
  ['abc-_1"', 'send'],
  ["'abc-_1'", 'send'],
  ['"ABC-_1"', 'send'],
  ['"abc-_1 "', 'send'],
  ['"x,abc-_1,y"', 'send'],
  ['"*"', 'send'],
  ['"abc-_1x"', 'send'],
  ['"xabc-_1"', 'send'],
  ['""', 'send']
]

t.test('If-None-Match compares weakly, with each tag of a list', async t => {
  for (const [field, verdict] of ifNoneMatch) t.equal(evaluate(etag, { 'if-none-match': field }), verdict, field)
})

t.test('a comma within a tag separates nothing', async t => {
  t.equal(evaluate('"a,b"', { 'if-none-match': '"x", "a,b"' }), 'not-modified')
  t.equal(evaluate('"a"', { 'if-none-match': '"x,", "a,b"' }), 'send')
  t.equal(evaluate('"b"', { 'if-none-match': '"a","c","d"' }), 'send')
  t.equal(evaluate('","', { 'if-none-match': '"a","c"' }), 'send', 'what stands between two tags is no tag')
})

t.test('If-Match compares strongly', async t => {
  for (const field of [etag, '*', `"x", ${etag}`, `W/${etag}, ${etag}`]) t.equal(evaluate(etag, { 'if-match': field }), 'send', field)
  for (const field of ['"x"', `W/${etag}`, `"x", W/${etag}`, '', 'abc-_1', '"x,abc-_1"']) t.equal(evaluate(etag, { 'if-match': field }), 'precondition-failed', field)
})

t.test('the tag of any encoding stands for the answer', async t => {
  for (const tag of ['"abc-_1.br"', '"abc-_1.gzip"']) {
    t.equal(evaluate(etag, { 'if-none-match': `"x", W/${tag}` }), 'not-modified', tag)
    t.equal(evaluate(etag, { 'if-match': tag }), 'send', tag)
    t.equal(evaluate(etag, { 'if-match': `W/${tag}` }), 'precondition-failed', tag)
  }
  for (const tag of ['"abc-_1.deflate"', '"abc-_1gzip"', '"abc.gzip"', '".gzip"']) t.equal(evaluate(etag, { 'if-none-match': tag }), 'send', tag)
})

t.test('a 304 has the tag of what the caller has', async t => {
  t.equal(namedTag('"a"', ['"a.gzip"', '"a"']), '"a"')
  t.equal(namedTag('W/"x", W/"a"', ['"a.gzip"', '"a"']), '"a"')
  t.equal(namedTag('"a", "a.gzip"', ['"a.gzip"', '"a"']), '"a.gzip"', 'the preferred one of several')
  t.equal(namedTag('"a.br"', ['"a.gzip"', '"a"']), '"a.gzip"')
  t.equal(namedTag('*', ['"a.gzip"', '"a"']), '"a.gzip"')
})

t.test('If-Match comes first', async t => {
  t.equal(evaluate(etag, { 'if-match': '"x"', 'if-none-match': etag }), 'precondition-failed')
  t.equal(evaluate(etag, { 'if-match': etag, 'if-none-match': etag }), 'not-modified')
  t.equal(evaluate(etag, {}), 'send')
})

t.test('a long field takes no long time', async t => {
  for (const field of ['"'.repeat(16_000), '"a'.repeat(8_000), 'W/'.repeat(8_000), `${'"x",'.repeat(4_000)}${etag}`]) {
    const started = performance.now()
    evaluate(etag, { 'if-none-match': field })
    t.ok(performance.now() - started < 100, `${field.slice(0, 10)}…`)
  }
})
