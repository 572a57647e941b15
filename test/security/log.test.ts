import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createKey } from '../../src/security/api-keys.ts'
import { fixedKeys } from '../../src/security/key-sources.ts'
import { startGateway } from '../support/gateway.ts'
import { rawRequests } from '../support/raw-request.ts'
import { routeRequests } from '../support/route-requests.ts'
import { startServer } from '../support/server-process.ts'
import { accessClaims, signingKey, startIssuer, tokenOf } from '../support/token-issuer.ts'
import { twoShops } from '../support/two-shops.ts'
import { watchedLog } from '../support/watched-log.ts'

const signing = signingKey('key', 'ES256')
const directory = t.testdir({})

/** Returns the parts of credentials: each is a secret by itself. */
const partsOf = (credentials: string[]): string[] => credentials.flatMap(text => [text, ...text.split(/[._]/)]).filter(text => text.length >= 8)

t.test('log: at trace, it holds none of the keys, tokens, secrets, cookies and user claims of any request', async t => {
  const issuer = await startIssuer(t, signing)
  const adminKey = `admin-key-${randomUUID()}`
  const valid = createKey({ scopes: ['admin'] })
  const { logger, text } = watchedLog()
  const user = `user-claim-${randomUUID()}`
  const subject = `subject-${randomUUID()}`
  const { app } = await startGateway(t, twoShops, { logger, adminKey, authentication: { schemes: ['api-key', 'jwt'], keySources: [fixedKeys('API_KEYS', JSON.stringify(valid.record))], jwt: issuer.options({ userClaim: 'user' }) } })
  const claims = accessClaims(issuer, { user, sub: subject, scope: 'read write' })
  const good = tokenOf(signing, claims)
  const tokens = [good, tokenOf(signing, { ...claims, exp: 1 }), tokenOf({ ...signing, kid: `kid-${randomUUID()}` }, claims), good.slice(0, -6), tokenOf(signing, { ...claims, aud: `audience-${randomUUID()}` })]
  const keys = [valid.key, adminKey, `pg_${valid.record.id}_${randomUUID()}`, createKey({ scopes: ['read'] }).key]
  const cookie = `session=${randomUUID()}`
  for (const headers of [...keys.map(key => ({ 'x-api-key': key })), ...tokens.map(token => ({ authorization: `Bearer ${token}` })), { authorization: `Basic ${Buffer.from(`a:${keys[0]!}`).toString('base64')}` }, {}]) {
    for (const { request } of routeRequests(app)) {
      for (const of of [user, 'user-2']) {
        const wanted = request('tea', of)
        await app.inject({ ...wanted, headers: { ...wanted.headers, ...headers, cookie } })
      }
    }
    // Credentials in wrong places, and requests that fail in every way.
    await app.inject({ url: `/recommend-items/tea/home/${user}?access_token=${good}&key=${valid.key}`, headers })
    await app.inject({ url: `/nowhere/${user}?token=${good}`, headers })
    await app.inject({ method: 'POST', url: '/events/tea', headers: { ...headers, 'content-type': 'application/json' }, payload: `{"userId":"${user}","token":"${good}"` })
    await app.inject({ method: 'DELETE', url: '/items/tea', headers })
    await app.inject({ url: '/recommend-items/nowhere/home/x', headers })
  }
  const raw = await rawRequests(t, app)
  await raw(`GET /recommend-items/tea/home/x HTTP/1.1\r\nHost: x\r\nX-Api-Key: ${valid.key}\r\nAuthorization: Bearer ${'x'.repeat(100_000)}${good}\r\n\r\n`)
  await raw(`GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${good}\r\nbroken\r\n\r\n`)
  const log = text()
  t.match(log, /"level":20/, 'it is the whole log')
  t.match(log, /a token was refused/)
  for (const secret of partsOf([...keys, ...tokens, cookie, user, subject, claims['user'] as string])) {
    if (secret === valid.record.id) continue
    t.notOk(log.includes(secret), `${secret.slice(0, 12)}…`)
  }
})

t.test('log: nor does the output of the process, whose settings hold keys too', async t => {
  const issuer = await startIssuer(t, signing)
  const { key, record } = createKey({ scopes: ['read'] })
  const adminKey = `admin-key-${randomUUID()}`
  const file = join(directory, 'keys.jsonl')
  writeFileSync(file, JSON.stringify(record))
  const { url, output, end } = await startServer(t, {
    LOG_LEVEL: 'trace',
    DATA_DIR: join(directory, 'data'),
    AUTH_SCHEME: 'api-key,jwt',
    API_KEYS_FILE: file,
    ADMIN_KEY: adminKey,
    API_KEYS: JSON.stringify(createKey({ scopes: ['read'] }).record),
    JWT_ISSUER: issuer.url,
    JWT_AUDIENCE: 'client-of-a-test',
    JWT_USER_CLAIM: 'sub'
  })
  const user = `user-${randomUUID()}`
  const token = tokenOf(signing, accessClaims(issuer, { sub: user }))
  const statusOf = async (headers: Record<string, string>): Promise<number> => (await fetch(`${url}/recommend-items/sample-store/recommended-for-you/${user}`, { headers })).status
  t.strictSame([await statusOf({ 'x-api-key': key }), await statusOf({ 'x-api-key': adminKey }), await statusOf({ authorization: `Bearer ${token}` }), await statusOf({ authorization: `Bearer ${token}x` })], [200, 200, 200, 401])
  writeFileSync(file, `${JSON.stringify(record)}\nnonsense`)
  await end('SIGTERM')
  for (const secret of partsOf([key, adminKey, token, user, record.sha256])) if (secret !== record.id) t.notOk(output().includes(secret), `${secret.slice(0, 12)}…`)
})
