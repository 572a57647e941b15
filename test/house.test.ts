import { readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ESLint, type Linter } from 'eslint'
import t from 'tap'
import tseslint from 'typescript-eslint'
import { packagedFile } from '../src/settings.ts'

interface House {
  floors: Array<Array<string | string[]>>
  importRules: Linter.Config
}

const root = packagedFile('.')
const { floors, importRules } = await import(pathToFileURL(join(root, 'eslint.config.js')).href) as House
const eslint = new ESLint({
  cwd: root,
  overrideConfigFile: true,
  overrideConfig: [{ files: ['**/*.ts'], languageOptions: { parser: tseslint.parser } }, importRules]
})

/** What the import rules say of a file of this text. */
async function complaints (filePath: string, text: string): Promise<string[]> {
  const [result] = await eslint.lintText(text, { filePath: join(root, filePath) })
  return result!.messages.map(({ message }) => message)
}

/** Some file of a room. */
function fileIn (room: string | string[]): string {
  const [path = ''] = [room].flat().sort()
  return path.endsWith('.ts') ? path : join(path, readdirSync(join(root, path), { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.ts')).sort()[0]!)
}

function importOf (from: string, to: string, kind = 'import type'): string {
  return `${kind} * as seeded from './${relative(join(from, '..'), to)}'\nexport type Seeded = typeof seeded\n`
}

t.test('a file may not import from the floor above it, nor from another room of its floor', async t => {
  for (const [i, floor] of floors.entries()) {
    for (const room of floor) {
      const file = fileIn(room)
      const above = floors[i - 1] ?? []
      for (const other of [...above, ...floor.filter(other => other !== room)]) {
        t.match((await complaints(file, importOf(file, fileIn(other)))).filter(message => !message.includes('circle')), [/restricted zone/], `${file} imports ${fileIn(other)}`)
      }
    }
  }
})

t.test('a file may import from every floor below it', async t => {
  for (const [i, floor] of floors.entries()) {
    for (const below of floors.slice(i + 1).flat()) {
      const file = fileIn(floor[0]!)
      t.strictSame((await complaints(file, importOf(file, fileIn(below)))).filter(message => /restricted zone/.test(message)), [], `${file} imports ${fileIn(below)}`)
    }
  }
})

t.test('an import that closes a circle is refused, of a type too and outside of src', async t => {
  const [file, importer] = ['docker/aws-local/state/world.ts', 'docker/aws-local/state/worlds.ts']
  for (const kind of ['import', 'import type', 'export']) {
    t.match(await complaints(file, `${kind} * as seeded from './worlds.ts'\n`), [new RegExp(`circle: ${file} → ${importer} → ${file}`)], kind)
  }
  t.match(await complaints(file, "export const later = async () => import('./worlds.ts')\n"), [/circle/])
})

t.test('every folder of src and every file beside them stands on a floor', async t => {
  const known = floors.flat(2)
  for (const entry of readdirSync(join(root, 'src'))) t.ok(known.includes(`src/${entry}`), entry)
  t.ok(readdirSync(join(root, 'src')).filter(name => name.endsWith('.ts')).length <= 8)
})
