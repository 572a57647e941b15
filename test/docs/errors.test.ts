import { readFileSync } from 'node:fs'
import t from 'tap'
import { errorTable } from '../../src/base/errors.ts'

t.test('docs/errors.md lists every code of the table once, with its status, meaning and remedy', t => {
  const documented = new Map<string, { status: string, texts: string[] }>()
  for (const [, codes, status, ...texts] of readFileSync('docs/errors.md', 'utf8').matchAll(/^\| (`.*?`) \| (\d{3}) \| (.*?) \| (.*?) \|$/gm)) {
    for (const [, code] of codes!.matchAll(/`(\w+)`/g)) {
      t.notOk(documented.has(code!), `${code!} is listed once`)
      documented.set(code!, { status: status!, texts: texts.filter(text => text !== undefined) })
    }
  }
  t.strictSame([...documented.keys()].sort(), Object.keys(errorTable).sort())
  for (const [code, { status }] of Object.entries(errorTable)) {
    t.equal(documented.get(code)?.status, String(status), code)
    for (const text of documented.get(code)?.texts ?? []) t.match(text, /\w.*\.$/, code)
  }
  t.end()
})
