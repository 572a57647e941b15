import { readFileSync } from 'node:fs'
import t from 'tap'
import { commonProperties } from '../../src/experiments/common.ts'
import { experimentMethods } from '../../src/experiments/registry.ts'

const text = readFileSync('docs/experiments.md', 'utf8')

t.test('docs/experiments.md names every method of experiments, and all settings of each', async t => {
  for (const [method, { schema }] of experimentMethods) {
    const section = text.split(/^### /m).find(section => section.startsWith(`${method}\n`))
    t.ok(section, method)
    const own = Object.keys(schema.properties).filter(key => !['name', 'description', 'method'].includes(key) && !Object.hasOwn(commonProperties, key))
    for (const key of own) t.match(section, new RegExp(`[\`"]${key}[\`"]`), `${method}: ${key}`)
  }
  for (const key of Object.keys(commonProperties)) t.match(text, `\`${key}\``, key)
})

t.test('docs/experiments.md names the traps', async t => {
  const traps = text.slice(text.indexOf('\n## Traps'))
  for (const trap of [/first good look/i, /sample-ratio mismatch/i, /CDN/, /`private`/, /same `cacheControl`/, /login in the middle/i, /attribution/i, /degraded/i]) t.match(traps, trap)
})

t.test('docs/experiments.md shows the experiment of the sample document as it is', async t => {
  const [, snippet] = /```jsonc\n(\{[^]*?)```/.exec(text)!
  const sample = JSON.parse(readFileSync('samples/experiment.json', 'utf8')) as typeof shown
  const shown = JSON.parse(snippet!) as { namespaces: { 'sample-store': { recommenders: { 'recommend-items': Record<string, { variations: object, experiments: object }> } } } }
  const { variations, experiments } = sample.namespaces['sample-store'].recommenders['recommend-items']['recommended-for-you']!
  t.strictSame(shown.namespaces['sample-store'].recommenders['recommend-items']['recommended-for-you'], { variations, experiments })
})
