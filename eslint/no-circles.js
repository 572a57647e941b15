import { existsSync, readFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import ts from 'typescript'

/** The files that a file imports by relative paths: values, types, re-exports and dynamic imports alike. */
const importsOf = memoize(file => importsIn(file, readFileSync(file, 'utf8')))

/**
 * Reports an import that closes a circle. Type imports count: they vanish from the build, but a reader who follows them still walks in
 * a circle. (`import-x/no-cycle` passes over them.)
 */
export default {
  meta: { type: 'problem', schema: [], messages: { circle: 'An import circle: {{path}}.' } },
  create: context => ({
    Program (program) {
      const file = context.filename
      for (const first of importsIn(file, context.sourceCode.text)) {
        const path = pathTo(file, first)
        if (path !== undefined) context.report({ node: program, messageId: 'circle', data: { path: [file, ...path].map(step => relative(context.cwd, step)).join(' → ') } })
      }
    }
  })
}

/** The shortest way from `start` along imports to `goal`; undefined if there is none. */
function pathTo (goal, start) {
  const seen = new Map([[start, undefined]])
  for (const file of seen.keys()) {
    if (file === goal) {
      const path = []
      for (let step = file; step !== undefined; step = seen.get(step)) path.unshift(step)
      return path
    }
    for (const next of importsOf(file)) if (!seen.has(next)) seen.set(next, file)
  }
}

function importsIn (file, text) {
  // TypeScript's own scan passes over `export * as name from`.
  const reexports = [...text.matchAll(/^export (?:type )?\* as \w+ from '([^']+)'/gm)].map(([, name]) => name)
  return [...ts.preProcessFile(text).importedFiles.map(({ fileName }) => fileName), ...reexports]
    .filter(name => name.startsWith('.') && /\.[jt]s$/.test(name))
    .map(name => resolve(dirname(file), name))
    .filter(existsSync)
}

function memoize (fn) {
  const known = new Map()
  return key => {
    if (!known.has(key)) known.set(key, fn(key))
    return known.get(key)
  }
}
