// Lists the licences of all packages in package-lock.json, and fails if one is not permissive. Packages for development are not delivered;
// theirs are listed as well, and must be known.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const permissive = new Set(['MIT', 'MIT-0', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', 'BlueOak-1.0.0', 'Unlicense', 'CC0-1.0', 'Zlib'])
// Of documents and data that only tools use.
const forDevelopment = new Set([...permissive, 'Python-2.0', 'PSF-2.0', 'CC-BY-3.0', 'WTFPL'])

/** Returns whether an SPDX expression without nested parentheses leaves a choice among the licences. */
function isAmong (expression, licences) {
  const anyOf = expression.replace(/^\((.*)\)$/, '$1').split(' OR ')
  return anyOf.some(choice => choice.split(' AND ').every(licence => licences.has(licence.trim())))
}

/** Returns the licence of a package: from the lock file, else from its manifest or the text of its licence. */
function licenceOf (path, { license }) {
  if (license !== undefined) return license
  const folder = join(root, path)
  const files = existsSync(folder) ? readdirSync(folder) : []
  const read = pattern => files.filter(name => pattern.test(name)).map(name => readFileSync(join(folder, name), 'utf8')).join('\n')
  const { license: own, licenses = [] } = JSON.parse(read(/^package\.json$/) || '{}')
  const named = own?.type ?? own ?? licenses.map(({ type }) => type).join(' OR ')
  if (named) return named
  return /Permission is hereby granted, free of charge|\bMIT\b/.test(read(/^(?:licen[cs]e|readme)/i)) ? 'MIT' : 'unknown'
}

const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
const counts = new Map()
const refused = []
for (const [path, entry] of Object.entries(packages)) {
  if (path === '' || entry.link) continue
  const licence = licenceOf(path, entry)
  const place = entry.dev ? 'development' : 'delivered'
  counts.set(`${place}\t${licence}`, (counts.get(`${place}\t${licence}`) ?? 0) + 1)
  if (!isAmong(licence, entry.dev ? forDevelopment : permissive)) refused.push(`${path.replace(/^.*node_modules\//, '')} ${entry.version}: ${licence}`)
}
for (const [key, count] of [...counts].sort()) console.log(`${key}\t${count}`)
if (refused.length > 0) {
  console.error(`not permissive:\n${refused.join('\n')}`)
  process.exitCode = 1
}
