import neostandard from 'neostandard'
import importX, { createNodeResolver } from 'eslint-plugin-import-x'
import tseslint from 'typescript-eslint'
import noCircles from './eslint/no-circles.js'

const typed = ['**/*.ts']
const fastifyPackages = ['fastify', 'fastify-plugin', '@fastify/*']

/**
 * The floors of the house, from the top down; a floor has one or more rooms, and a room is one path or a list of paths. A file imports
 * from its own room and from the floors below, never from a floor above or from another room of its floor. Type imports count.
 */
export const floors = [
  [['src/cli.ts', 'src/cli']],
  ['src/server.ts'],
  ['src/sample-store.ts'],
  ['src/app.ts', 'src/settings.ts'],
  ['plugins', 'routes'],
  ['src/inference', 'src/events', 'src/datasets', 'src/openapi.ts'],
  ['src/plan'],
  ['src/config'],
  ['src/metadata'],
  ['src/targets', 'src/experiments'],
  ['src/context', 'src/delivery', 'src/security', 'src/limits'],
  ['src/origins'],
  ['src/recommender', 'src/workers'],
  ['src/records', 'src/connections'],
  ['src/cache'],
  ['src/base']
]

const pathsOf = room => [room].flat().map(path => `./${path}`)
const outside = ['./test', './bench', './docker', './samples']

/** One zone for each room: the paths that its files must not import from. */
const zones = floors.flatMap((rooms, floor) => rooms.map(room => ({
  target: pathsOf(room),
  from: [...floors.slice(0, floor).flat().flatMap(pathsOf), ...rooms.filter(other => other !== room).flatMap(pathsOf), ...outside],
  message: 'A file imports from its own room and from the floors below it: see the table in eslint.config.js.'
})))

/** Which file may import which: a part of the configuration that the tests apply on its own. */
export const importRules = {
  files: typed,
  plugins: { 'import-x': importX, house: { rules: { 'no-circles': noCircles } } },
  settings: {
    'import-x/extensions': ['.ts'],
    'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
    'import-x/resolver-next': [createNodeResolver({ extensions: ['.ts', '.js'] })]
  },
  rules: {
    'house/no-circles': 'error',
    'import-x/no-restricted-paths': ['error', { zones, basePath: import.meta.dirname }]
  }
}

const domain = {
  files: ['src/**/*.ts'],
  ignores: ['src/app.ts', 'src/server.ts', 'src/cli.ts'],
  rules: {
    'no-restricted-imports': ['error', {
      patterns: [{ group: fastifyPackages, message: 'The domain does not know the HTTP framework: a plugin or a route connects them.' }]
    }]
  }
}

const routesThroughDecorators = {
  files: ['routes/**/*.ts'],
  rules: {
    'no-restricted-imports': ['error', {
      patterns: [{ regex: '^node:(fs|net|http|https|child_process)', message: 'A route reaches I/O through a decorator.' }]
    }]
  }
}

export default tseslint.config(
  { ignores: ['dist/', 'dist.*/', 'data/', '.tap/', 'node_modules/'] },
  ...neostandard({ ts: true }),
  {
    files: typed,
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.test.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      'max-lines': ['error', { max: 250, skipBlankLines: true, skipComments: true }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: true }],
      '@typescript-eslint/require-await': 'off',
      'no-void': ['error', { allowAsStatement: true }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/no-import-type-side-effects': 'error'
    }
  },
  importRules,
  domain,
  routesThroughDecorators,
  {
    // tap's assertions are thenable only where a test awaits them.
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: { '@typescript-eslint/no-floating-promises': 'off', 'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }] }
  }
)
