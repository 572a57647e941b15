import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

/** Modules that act as soon as they are loaded. */
const programs = ['src/server.ts', 'src/cli.ts']

t.test('every module loads, so that none escapes the measure of coverage', async t => {
  for (const folder of ['src', 'plugins', 'routes']) {
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map(file => join(folder, file)).filter(file => file.endsWith('.ts') && !programs.includes(file))
    for (const file of files) t.ok(await import(`../${file}`), file)
  }
})
