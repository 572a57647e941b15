import neostandard from 'neostandard'
import importX, { createNodeResolver } from 'eslint-plugin-import-x'
import tseslint from 'typescript-eslint'

const typed = ['**/*.ts']
const fastifyPackages = ['fastify', 'fastify-plugin', '@fastify/*']

// The import rule of the house: server → app → {plugins, routes} → src/<domain>, without cycles.
const layers = {
  files: ['src/**/*.ts'],
  ignores: ['src/app.ts', 'src/server.ts', 'src/cli.ts'],
  rules: {
    'no-restricted-imports': ['error', {
      patterns: [
        { group: fastifyPackages, message: 'The domain knows no HTTP framework: a plugin or a route carries it there.' },
        { regex: '/(plugins|routes|app|server|cli)(/|\\.ts$)', message: 'The domain imports neither plugins, routes nor the composition root.' }
      ]
    }]
  }
}

const routesThroughDecorators = {
  files: ['routes/**/*.ts'],
  rules: {
    'no-restricted-imports': ['error', {
      patterns: [
        { regex: '^node:(fs|net|http|https|child_process)', message: 'A route reaches I/O through a decorator.' },
        { regex: '/(plugins|app|server|cli)(/|\\.ts$)', allowTypeImports: true, message: 'A route reaches a plugin through its decorator.' }
      ]
    }]
  }
}

const pluginsBelowRoutes = {
  files: ['plugins/**/*.ts'],
  rules: {
    'no-restricted-imports': ['error', {
      patterns: [{ regex: '/(routes|app|server|cli)(/|\\.ts$)', message: 'A plugin knows neither routes nor the composition root.' }]
    }]
  }
}

export default tseslint.config(
  { ignores: ['dist/', 'data/', '.tap/', 'node_modules/'] },
  ...neostandard({ ts: true }),
  {
    files: typed,
    extends: [...tseslint.configs.recommendedTypeChecked],
    plugins: { 'import-x': importX },
    settings: {
      'import-x/extensions': ['.ts'],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
      'import-x/resolver-next': [createNodeResolver({ extensions: ['.ts', '.js'] })]
    },
    languageOptions: { parserOptions: { project: './tsconfig.test.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      'import-x/no-cycle': 'error',
      'max-lines': ['error', { max: 250, skipBlankLines: true, skipComments: true }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: true }],
      '@typescript-eslint/require-await': 'off',
      'no-void': ['error', { allowAsStatement: true }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/no-import-type-side-effects': 'error'
    }
  },
  layers,
  routesThroughDecorators,
  pluginsBelowRoutes,
  {
    // tap's assertions are thenable only where a test awaits them.
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: { '@typescript-eslint/no-floating-promises': 'off', 'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }] }
  }
)
