import t from 'tap'
import { validateDocument } from '../../src/config/validate.ts'
import { embeddedDocument, withValue } from '../support/config-documents.ts'

const shop = '/namespaces/shop'
const home = `${shop}/recommenders/recommend-items/home`
const mapping = `${shop}/autoContext/deviceType/rules/0/valueMappings/0`
const filter = `${shop}/filters/0`

t.test('a sound document has no findings', async t => {
  t.strictSame(validateDocument(embeddedDocument()).findings, [])
})

type Mistake = readonly [pointer: string, value: unknown, message: RegExp]

const unknownKeys: Mistake[] = [
  '', shop, home, `${home}/variations/a`, `${home}/variations/a/parameters`, `${home}/experiments/test`, `${home}/resilience`, '/cacheControl',
  '/cacheControl/userSpecified', `${shop}/autoContext/deviceType`, `${shop}/autoContext/deviceType/rules/0`, mapping, filter,
  `${filter}/autoDynamicFilterValues/COUNTRY`, `${shop}/eventTargets/0`, `${shop}/recommenders`
].map(level => [`${level}/surprise`, {}, /known|name/])

const mistakes: Mistake[] = [
  ...unknownKeys,
  // wrong types
  ['/version', 1, /string/],
  ['/namespaces', [], /object/],
  [shop, 'x', /object/],
  [`${shop}/recommenders/related-items/similar/variations`, [], /object/],
  [`${shop}/recommenders/related-items/similar/variations/a`, null, /object/],
  [`${home}/variations/a/excludeSeen`, 'yes', /true or false/],
  [`${home}/variations/a/parameters/recentItems`, 10, /integer from 1 to 9/],
  [`${home}/fallback`, 'b', /list/],
  [`${home}/resilience/timeout`, 0, /number/],
  [`${home}/resilience/timeout`, 30_001, /30000/],
  ['/cacheControl/userSpecified/maxAge', -1, /integer/],
  ['/cacheControl/server', { whenUnverified: 'memory' }, /"origin".*"serve"/],
  ['/cacheControl/userSpecified/directives', 'private\r\nx: y', /matching/],
  [`${shop}/eventTargets`, {}, /list/],
  [`${shop}/filters/0/condition`, 'always', /user-required/],
  [`${shop}/filters/0/arn`, 'arn:nonsense', /matching/],
  [`${mapping}/operator`, 'is', /starts-with/],
  [`${mapping}/mapTo`, true, /string.*number/],
  [`${shop}/autoContext/deviceType/rules/0/header`, 'two words', /matching/],
  [`${shop}/autoContext/deviceType/type`, 'bool', /"string"/],
  // names
  ['/namespaces/not:a name', {}, /name/],
  ['/namespaces/ x', {}, /name/],
  ['/namespaces/..', {}, /name/],
  [`${shop}/recommenders/recommend-items/ü`, { variations: { a: { type: 'embedded' } } }, /name/],
  [`${home}/variations/a~1b`, { type: 'embedded' }, /name/],
  [`${home}/experiments/a b`, { method: 'weighted', weights: { a: 1 } }, /name/],
  [`${shop}/autoContext/device-type`, { type: 'string', rules: [] }, /name/],
  // kinds
  [`${home}/variations/a/type`, 'clairvoyance', /"embedded"/],
  [`${home}/variations/a/type`, 7, /string/],
  [`${home}/variations/a/type`, 'constructor', /"embedded"/],
  [`${home}/experiments/test/method`, 'dice', /"weighted"/],
  [`${shop}/eventTargets/0/type`, 'pigeon', /"embedded"/],
  [`${shop}/inferenceItemMetadata`, { type: 'shelf' }, /"localdb"/],
  [`${home}/variations/a/inferenceItemMetadata`, { type: 'shelf' }, /"localdb"/],
  [`${shop}/inferenceItemMetadata`, { type: 'localdb', syncInterval: 1 }, /integer/],
  [`${shop}/autoContext/deviceType/rules/0/type`, 'mood', /"header-value"/],
  [`${shop}/recommenders/predicted-ratings`, { r: { variations: { v: { type: 'personalize-recommender', arn: 'arn:aws:personalize:eu-west-1:123456789012:recommender/r' } } } }, /does not answer predicted-ratings/],
  // references
  [`${home}/fallback`, ['b', 'nowhere'], /"nowhere" is not a variation.*a, b/],
  [`${home}/variations/b/fallback`, ['nowhere'], /nowhere/],
  [`${home}/resilience/hedge`, 'nowhere', /nowhere/],
  [`${home}/variations/b/resilience/hedge`, 'nowhere', /nowhere/],
  [`${home}/experiments/test/weights`, { a: 1, nowhere: 1 }, /nowhere/],
  [`${home}/experiments/test/overrides/user-2`, 'nowhere', /nowhere/],
  [`${home}/experiments/test/overrides/user~11`, 'nowhere', /nowhere/],
  [`${shop}/fallback`, ['b'], /"b" is not a variation of related-items\/similar/]
]

for (const [pointer, value, message] of mistakes) {
  t.test(`a mistake is found at ${pointer}: ${JSON.stringify(value)}`, async t => {
    const { findings } = validateDocument(withValue(embeddedDocument(), pointer, value))
    t.ok(findings.length > 0)
    t.ok(findings.every(found => found.pointer.startsWith(pointer)), JSON.stringify(findings))
    t.ok(findings.some(found => message.test(found.message)), JSON.stringify(findings))
  })
}

t.test('a fallback of a level above is good where every recommender below has that variation', async t => {
  t.strictSame(validateDocument({ ...embeddedDocument(), fallback: ['a'] }).findings, [])
})

t.test('all mistakes are listed at once', async t => {
  const spoilt: ReadonlyArray<readonly [string, unknown]> = [
    ['/version', 1], ['/surprise', 1], [`${shop}/surprise`, 1], [`${home}/variations/a/type`, 'clairvoyance'], [`${home}/variations/b/surprise`, 1],
    [`${home}/experiments/test/method`, 'dice'], [`${shop}/eventTargets/0/type`, 'pigeon'], [`${mapping}/operator`, 'is'],
    [`${filter}/autoDynamicFilterValues/HOUR/rules/0/type`, 'mood'], ['/inferenceItemMetadata', { type: 'shelf' }]
  ]
  const document = spoilt.reduce((document, [pointer, value]) => withValue(document, pointer, value), embeddedDocument())
  const found = new Set(validateDocument(document).findings.map(({ pointer }) => pointer))
  for (const [pointer] of spoilt) t.ok(found.has(pointer) || found.has(`${pointer}/type`), pointer)
})

t.test('all dangling references are listed at once, each once', async t => {
  const spoilt = [`${home}/experiments/test/overrides/u`, `${home}/resilience/hedge`, `${home}/fallback/0`]
  const { findings } = validateDocument(spoilt.reduce((document, pointer) => withValue(document, pointer, 'nowhere'), embeddedDocument()))
  t.strictSame(findings.map(({ pointer }) => pointer).sort(), [...spoilt].sort())
})

t.test('what is missing is told with what was expected', async t => {
  const { findings } = validateDocument({ cacheControl: { userSpecified: {} } })
  t.match(findings.find(({ pointer }) => pointer === '/namespaces')?.message, 'is missing; expected an object')
  t.match(findings.find(({ pointer }) => pointer === '/cacheControl/userSpecified/maxAge')?.message, 'is missing')
})

const deeplyWrong: unknown[] = [null, undefined, [], [[]], 'text', 7, true, {}, { namespaces: null }, { namespaces: [null, 1, { recommenders: [[null]] }] }]

t.test('no document makes it throw', async t => {
  for (const document of deeplyWrong) t.ok(validateDocument(document).findings.length > 0, JSON.stringify(document))
})

t.test('whatever stands in the place of whatever, it does not throw', async t => {
  const pointers: string[] = []
  const collect = (value: unknown, pointer: string): void => {
    if (typeof value !== 'object' || value === null) return
    for (const [key, member] of Object.entries(value)) {
      pointers.push(`${pointer}/${key}`)
      collect(member, `${pointer}/${key}`)
    }
  }
  collect({ ...embeddedDocument(), inferenceItemMetadata: { type: 'localdb' } }, '')
  t.ok(pointers.length > 100)
  for (const pointer of pointers.filter(pointer => !pointer.startsWith('/inferenceItemMetadata/'))) {
    for (const value of [null, 1, 'x', true, [], {}, [null], [[1]], { x: null }, { type: null }, { type: '__proto__' }, JSON.parse('{"__proto__":{"type":"embedded"}}')]) {
      const spoilt = withValue(embeddedDocument(), pointer, value)
      try {
        validateDocument(spoilt)
      } catch (error) {
        t.fail(`threw with ${JSON.stringify(value)} at ${pointer}: ${(error as Error).message}`)
      }
    }
  }
})

t.test('what could never be a value of its field is a mistake', async t => {
  const document = withValue(withValue(embeddedDocument(), `${shop}/autoContext/deviceType/type`, 'integer'), `${shop}/autoContext/deviceType/default`, '1.5')
  const { findings } = validateDocument(document)
  t.match(findings.find(({ pointer }) => pointer === `${shop}/autoContext/deviceType/default`), { message: 'expected a value of type integer' })
  t.match(findings.find(({ pointer }) => pointer === `${mapping}/mapTo`), { message: 'expected a value of type integer' })
})

t.test('more fields than Personalize takes are a mistake', async t => {
  const field = { type: 'string', rules: [] }
  const fields = (count: number): object => Object.fromEntries(Array.from({ length: count }, (_, i) => [`field${i}`, field]))
  const findings = (at: string, count: number): unknown => validateDocument(withValue(embeddedDocument(), at, fields(count))).findings
  t.strictSame(findings(`${shop}/autoContext`, 150), [])
  t.match(findings(`${shop}/autoContext`, 151), [{ pointer: `${shop}/autoContext`, message: 'expected an object of at most 150 keys' }])
  t.strictSame(findings(`${filter}/autoDynamicFilterValues`, 25), [])
  t.match(findings(`${filter}/autoDynamicFilterValues`, 26), [{ pointer: `${filter}/autoDynamicFilterValues`, message: 'expected an object of at most 25 keys' }])
})

t.test('credentials cannot become part of a context', async t => {
  const rule = `${shop}/autoContext/deviceType/rules/0`
  for (const header of ['Authorization', 'cookie', 'X-Api-Key']) {
    const { findings } = validateDocument(withValue(embeddedDocument(), rule, { type: 'header-value', header }))
    t.match(findings, [{ pointer: `${rule}/header`, message: /credentials/ }], header)
  }
})
