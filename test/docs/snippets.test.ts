import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { eventTargetTypes } from '../../src/targets/registry.ts'
import { itemMetadataTypes } from '../../src/metadata/registry.ts'
import { originTypes } from '../../src/origins/registry.ts'
import { parseConfig } from '../../src/config/parse.ts'

interface Snippet {
  place: string
  text: string
}

const snippets = readdirSync('docs').filter(name => name.endsWith('.md')).flatMap(name => {
  const text = readFileSync(`docs/${name}`, 'utf8')
  return [...text.matchAll(/```jsonc?\n([\s\S]*?)```/g)].map(([, snippet], n): Snippet => ({ place: `${name}, snippet ${n + 1}`, text: snippet! }))
})

const anything = '{ "type": "embedded" }'
const recommender = (inside: string): string => `{ "namespaces": { "n": { "recommenders": { "recommend-items": { "r": { "variations": { "v": ${anything}, "house": ${anything}, "other": ${anything} }, ${inside} } } } } } }`
const variation = (inside: string): string => `{ "namespaces": { "n": { "recommenders": { "recommend-items": { "r": { "variations": { "v": ${inside} } } } } } } }`

/** Returns a document with a snippet of the configuration in its place; undefined for a snippet of something else. */
function documentOf (text: string): string | undefined {
  const key = /^\s*"(\w+)"\s*:/.exec(text)?.[1]
  if (key === 'eventTargets') return `{ "namespaces": { "n": { ${text} } } }`
  if (key !== undefined) return recommender(text)
  const type = /^\s*\{\s*"type": "([\w-]+)"/.exec(text)?.[1] ?? ''
  if (itemMetadataTypes.has(type)) return recommender(`"inferenceItemMetadata": ${text}`)
  if (originTypes.has(type)) return variation(text)
  if (eventTargetTypes.has(type)) return `{ "namespaces": { "n": { "eventTargets": [${text}] } } }`
  return /^\s*\{[^{]*"namespaces"|^\s*\{\s*"version": "[^"]*",\s*"cacheControl"/.test(text) ? text : undefined
}

t.test('every snippet of the configuration in docs/ is valid as it stands', async t => {
  const documents = snippets.map(({ place, text }) => ({ place, document: documentOf(text) }))
  t.ok(documents.filter(({ document }) => document !== undefined).length >= 15)
  for (const { place, document } of documents) {
    if (document === undefined) continue
    try {
      parseConfig(document, place)
      t.pass(place)
    } catch (error) {
      t.fail(`${place}: ${(error as Error).message}`)
    }
  }
})

t.test('the mappings in the tables of docs/ compile', async t => {
  const rows = [...readFileSync('docs/providers.md', 'utf8').matchAll(/^\| [\w ]+ \| `([^`]+)` \| `([^`]+)` \|/gm)]
  t.ok(rows.length >= 5)
  for (const [, request, response] of rows) t.doesNotThrow(() => parseConfig(variation(JSON.stringify({ type: 'sagemaker', endpointName: 'e', request, response })), 'docs'), request!)
})
