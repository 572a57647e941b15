import { join } from 'node:path'
import { createConfig, lint, lintFromString } from '@redocly/openapi-core'
import t from 'tap'
import type { AuthenticationOptions } from '../plugins/authentication.ts'
import type { OpenApiDocument } from '../src/openapi.ts'
import { createKey } from '../src/security/api-keys.ts'
import { fixedKeys } from '../src/security/key-sources.ts'
import { packagedFile } from '../src/settings.ts'
import { startGateway, storeConfig } from './support/gateway.ts'
import { signingKey, startIssuer } from './support/token-issuer.ts'

const config = await createConfig({ extends: ['recommended'] })
const errorsOf = (problems: Awaited<ReturnType<typeof lint>>): string[] =>
  problems.filter(({ severity }) => severity === 'error').map(({ ruleId, message, location }) => `${ruleId}: ${message} at ${location[0]?.pointer ?? ''}`)

t.test("redocly lint: the recommended rules find no error in the repository's document", async t => {
  t.strictSame(errorsOf(await lint({ ref: join(packagedFile('.'), 'openapi/openapi.json'), config })), [])
})

t.test('redocly lint: nor in that of any settings, whose security schemes and servers it follows', async t => {
  const issuer = await startIssuer(t, signingKey('key', 'ES256'))
  const keySources = [fixedKeys('API_KEYS', JSON.stringify(createKey({ scopes: ['read'] }).record))]
  const jwt = issuer.options()
  const settings: Array<[options: AuthenticationOptions, names: string[], basePath: string]> = [
    [{}, ['ApiKey'], ''],
    [{ openWrites: true }, ['ApiKey'], '/prod'],
    [{ schemes: ['api-key'], keySources }, ['ApiKey'], ''],
    [{ schemes: ['jwt'], jwt }, ['Bearer'], '/prod/v1'],
    [{ schemes: ['api-key', 'jwt'], keySources, jwt, metrics: 'public' }, ['ApiKey', 'Bearer'], '']
  ]
  for (const [authentication, names, basePath] of settings) {
    await t.test(JSON.stringify([authentication.schemes, basePath]), async t => {
      const { app } = await startGateway(t, storeConfig, { authentication, basePath })
      const source = (await app.inject(`${basePath}/docs/json`)).body
      t.strictSame(errorsOf(await lintFromString({ source, config })), [])
      const { components, servers, paths } = JSON.parse(source) as OpenApiDocument
      t.strictSame(Object.keys(components!['securitySchemes'] as object), names)
      t.strictSame(servers, [{ url: basePath === '' ? '/' : basePath }])
      const securityOf = (path: string, method: string): unknown => paths[path]![method]!['security']
      const all = names.map(name => ({ [name]: [] }))
      const isClosed = (authentication.schemes ?? []).length > 0
      t.strictSame(securityOf('/recommend-items/store/for-you/{userId}', 'get'), isClosed ? all : [])
      t.strictSame(securityOf('/items/store', 'post'), isClosed || authentication.openWrites !== true ? all : [])
      t.strictSame(securityOf('/health/live', 'get'), [])
      t.strictSame(securityOf('/metrics', 'get'), authentication.metrics === 'public' ? [] : [{}, ...all])
    })
  }
})
