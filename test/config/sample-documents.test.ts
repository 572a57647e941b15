import t from 'tap'
import { validateDocument } from '../../src/config/validate.ts'
import { sampleDocuments } from '../support/config-documents.ts'

for (const [name, document] of Object.entries(sampleDocuments)) {
  t.test(`a document of the AWS sample is accepted: ${name}`, async t => {
    const { findings } = validateDocument(document)
    // What a build does not have it names; in all else the document is right.
    t.strictSame(findings.filter(({ message }) => !/is not available in this build$/.test(message)), [])
    t.ok(findings.every(({ pointer }) => /\/variations\/[^/]+\/type$|\/inferenceItemMetadata\/type$/.test(pointer)))
  })
}

t.test('the other spellings of the sample become the one name', async t => {
  const { document } = validateDocument(sampleDocuments["the sample's other spellings"])
  t.match(document, {
    namespaces: {
      shop: {
        autoContext: { season: { rules: [{ type: 'season-of-year', valueMappings: [{ operator: 'starts-with' }] }] } },
        recommenders: { 'recommend-items': { r: { variations: { f: { type: 'lambda' } } } } }
      }
    }
  })
})

t.test('normalising leaves the given document as it is', async t => {
  const before = structuredClone(sampleDocuments)
  for (const document of Object.values(sampleDocuments)) validateDocument(document)
  t.strictSame(sampleDocuments, before)
})

t.test('aliases are normalised in filters and on every level', async t => {
  const rule = () => ({ type: 'season', valueMappings: [{ operator: 'end-with', value: 'x', mapTo: 1 }] })
  const field = () => ({ FIELD: { type: 'string', rules: [rule()] } })
  const { document, findings } = validateDocument({
    autoContext: field(),
    filters: [{ arn: 'arn:aws:personalize:eu-west-1:123456789012:filter/f', autoDynamicFilterValues: field() }],
    namespaces: { n: { recommenders: { 'recommend-items': { r: { autoContext: field(), variations: { v: { type: 'embedded', autoContext: field() } } } } } } }
  })
  t.strictSame(findings, [])
  const text = JSON.stringify(document)
  t.notMatch(text, /"season"|end-with"/)
  t.equal(text.match(/season-of-year/g)?.length, 4)
  t.equal(text.match(/ends-with/g)?.length, 4)
})
