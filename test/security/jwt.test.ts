import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import type { JwtOptions } from '../../src/security/jwt.ts'
import { startGateway } from '../support/gateway.ts'
import { accessClaims, audience, hmacTokenOf, signingKey, startIssuer, tokenOf, unsignedTokenOf, type TokenIssuer } from '../support/token-issuer.ts'
import { rawRequests } from '../support/raw-request.ts'
import { eventually } from '../support/eventually.ts'

const path = '/recommend-items/store/for-you/user-1'
const rsa = signingKey('rsa-1')
const ec = signingKey('ec-1', 'ES256')
const stranger = signingKey('stranger')
const now = (): number => Math.floor(Date.now() / 1000)

interface Gateway {
  app: FastifyInstance
  issuer: TokenIssuer
  statusOf: (token: string) => Promise<number>
}

async function start (t: Test, more: Partial<JwtOptions> = {}, options: Parameters<typeof startGateway>[2] = {}): Promise<Gateway> {
  const issuer = await startIssuer(t, rsa, ec)
  const { app } = await startGateway(t, undefined, { authentication: { schemes: ['jwt'], jwt: issuer.options(more) }, ...options })
  return { app, issuer, statusOf: async token => (await app.inject({ url: path, headers: { authorization: `Bearer ${token}` } })).statusCode }
}

t.test('JWT: every bad token is refused with 401, one body and one challenge', async t => {
  const { app, issuer } = await start(t)
  const claims = accessClaims(issuer)
  const good = tokenOf(rsa, claims)
  const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const { client_id: client, ...others } = claims
  const bad: Record<string, string> = {
    'alg none': unsignedTokenOf(claims, { kid: rsa.kid }),
    'alg none in capitals': unsignedTokenOf(claims, { alg: 'NONE', kid: rsa.kid }),
    'HS256 signed with the public key': hmacTokenOf(pem, claims, { kid: rsa.kid }),
    'HS256 signed with the trimmed public key': hmacTokenOf(pem.trim(), claims, { kid: rsa.kid }),
    'HS256 signed with the JWK': hmacTokenOf(JSON.stringify(rsa.jwk), claims, { kid: rsa.kid }),
    'RS256 in the header of a key for ES256': tokenOf({ ...ec, alg: 'RS256' }, claims),
    RS512: tokenOf(rsa, claims, { alg: 'RS512' }),
    'wrong issuer': tokenOf(rsa, { ...claims, iss: `${issuer.url}/` }),
    'no issuer': tokenOf(rsa, { ...claims, iss: undefined }),
    'wrong audience': tokenOf(rsa, { ...claims, aud: 'somebody-else' }),
    'empty list of audiences': tokenOf(rsa, { ...claims, aud: [] }),
    'audience in a longer one': tokenOf(rsa, { ...claims, aud: `${audience}-2` }),
    'client_id of another client': tokenOf(rsa, { ...claims, client_id: 'another-client' }),
    'client_id as a list': tokenOf(rsa, { ...claims, client_id: [client] }),
    'neither aud nor client_id': tokenOf(rsa, others),
    'wrong token_use': tokenOf(rsa, { ...claims, token_use: 'refresh' }),
    'token_use that is no text': tokenOf(rsa, { ...claims, token_use: ['access'] }),
    expired: tokenOf(rsa, { ...claims, exp: now() - 1 }),
    'without exp': tokenOf(rsa, { ...claims, exp: undefined }),
    'exp as text': tokenOf(rsa, { ...claims, exp: String(now() + 60) }),
    'exp beyond all times': tokenOf(rsa, claims).replace(/\.[^.]+\./, `.${Buffer.from(JSON.stringify(claims).replace(/"exp":\d+/, '"exp":1e999')).toString('base64url')}.`),
    'not yet valid': tokenOf(rsa, { ...claims, nbf: now() + 60 }),
    'nbf as text': tokenOf(rsa, { ...claims, nbf: '0' }),
    'unknown kid': tokenOf({ ...rsa, kid: 'unknown' }, claims),
    'no kid': tokenOf(rsa, claims, { kid: undefined }),
    'kid of the prototype': tokenOf(rsa, claims, { kid: '__proto__' }),
    'kid that is no text': tokenOf(rsa, claims, { kid: [rsa.kid] }),
    jku: tokenOf(stranger, claims, { kid: rsa.kid, jku: `${issuer.url}/mine.json` }),
    'jku with a good signature': tokenOf(rsa, claims, { jku: `${issuer.url}/mine.json` }),
    x5u: tokenOf(stranger, claims, { kid: rsa.kid, x5u: `${issuer.url}/mine.pem` }),
    jwk: tokenOf(stranger, claims, { kid: rsa.kid, jwk: stranger.jwk }),
    'jwk alone': tokenOf(stranger, claims, { kid: undefined, jwk: stranger.jwk }),
    crit: tokenOf(rsa, claims, { crit: ['b64'], b64: false }),
    'type of another kind': tokenOf(rsa, claims, { typ: 'logout+jwt' }),
    'key of another pool': tokenOf({ ...stranger, kid: rsa.kid }, claims),
    truncated: good.slice(0, -10),
    'without a signature': good.slice(0, good.lastIndexOf('.') + 1),
    'two parts': good.slice(0, good.lastIndexOf('.')),
    'four parts': `${good}.x`,
    'changed claims': good.replace(/\.[^.]+\./, `.${Buffer.from(JSON.stringify({ ...claims, sub: 'x' })).toString('base64url')}.`),
    'header that is no JSON': `bm9uc2Vuc2U.${good.split('.').slice(1).join('.')}`,
    'header null': `${Buffer.from('null').toString('base64url')}.${good.split('.').slice(1).join('.')}`,
    'claims that are a list': tokenOf(rsa, [claims]),
    nonsense: 'nonsense',
    'nothing but dots': '..',
    '100 KB': tokenOf(rsa, { ...claims, more: 'x'.repeat(75_000) }),
    empty: ''
  }
  const refusals = new Map<string, string>()
  for (const [name, token] of Object.entries(bad)) {
    const { statusCode, headers, body } = await app.inject({ url: path, headers: { authorization: `Bearer ${token}` } })
    t.equal(statusCode, 401, name)
    refusals.set(body.replace(/"requestId":"[^"]+"/, ''), name)
    t.equal(headers['www-authenticate'], 'Bearer realm="gateway", error="invalid_token"', name)
    t.equal(headers['cache-control'], 'no-store', name)
  }
  t.equal(refusals.size, 1, [...refusals].join())
  const inQuery = await app.inject(`${path}?access_token=${good}&token=${good}`)
  const inCookie = await app.inject({ url: path, headers: { cookie: `token=${good}` } })
  for (const { statusCode, headers, body } of [inQuery, inCookie, await app.inject(path)]) {
    t.equal(statusCode, 401)
    t.equal(headers['www-authenticate'], 'Bearer realm="gateway"', 'no credentials, no error (RFC 6750 §3.1)')
    refusals.set(body.replace(/"requestId":"[^"]+"/, ''), 'none')
  }
  t.equal(refusals.size, 1)
  t.equal((await app.inject({ url: path, headers: { authorization: `Bearer ${good}` } })).statusCode, 200, 'the same, but good')
  t.equal(issuer.fetches, 1)
})

t.test('JWT: the tokens of Cognito and others are accepted', async t => {
  const { issuer, statusOf } = await start(t)
  const claims = accessClaims(issuer)
  const { client_id: _, scope: __, ...id } = claims
  const good: Record<string, string> = {
    'access token of Cognito, without aud': tokenOf(rsa, claims),
    'id token of Cognito': tokenOf(rsa, { ...id, token_use: 'id', aud: audience }),
    'aud as a list': tokenOf(rsa, { ...claims, aud: ['somebody-else', audience], client_id: 'another-client' }),
    'scopes of others only': tokenOf(rsa, { ...claims, scope: 'aws.cognito.signin.user.admin openid' }),
    'without token_use, as others make it': tokenOf(rsa, { ...claims, token_use: undefined, aud: audience }),
    ES256: tokenOf(ec, claims),
    'of the type of RFC 9068': tokenOf(ec, claims, { typ: 'at+jwt' }),
    'without a type': tokenOf(ec, claims, { typ: undefined })
  }
  for (const [name, token] of Object.entries(good)) {
    t.equal(await statusOf(token), 200, name)
    t.equal(await statusOf(token), 200, `${name}, remembered`)
  }
})

t.test('JWT: a remembered token ends when it expires', async t => {
  let time = Date.now()
  const { issuer, statusOf } = await start(t, {}, { now: () => time })
  const token = tokenOf(rsa, accessClaims(issuer, { exp: Math.floor(time / 1000) + 60 }))
  t.equal(await statusOf(token), 200)
  time += 61_000
  t.equal(await statusOf(token), 401)
})

t.test('JWT: scopes decide, as the claim names them', async t => {
  const { app, issuer } = await start(t, { scopePrefix: 'gateway/', defaultScopes: [] })
  const event = { userId: 'u', sessionId: 's', eventList: [{ eventType: 'view', itemId: 'i' }] }
  const statuses = async (scope: unknown): Promise<number[]> => {
    const headers = { authorization: `Bearer ${tokenOf(rsa, accessClaims(issuer, { scope }))}` }
    return Promise.all([
      app.inject({ url: path, headers }),
      app.inject({ method: 'POST', url: '/events/store', headers, payload: event }),
      app.inject({ url: `/explain${path}`, headers })
    ].map(async answer => (await answer).statusCode))
  }
  t.strictSame(await statuses('gateway/read'), [200, 403, 403])
  t.strictSame(await statuses('openid gateway/write gateway/read'), [200, 200, 403])
  t.strictSame(await statuses(['gateway/admin']), [200, 200, 200])
  for (const scope of ['read', 'gateway/reader', 'other/read', '', undefined, 'aws.cognito.signin.user.admin']) t.strictSame(await statuses(scope), [403, 403, 403], String(scope))
})

t.test('JWT: a namespace claim limits a token; a token without it reaches none', async t => {
  const { issuer, statusOf } = await start(t, { namespaceClaim: 'shops' })
  const status = async (shops: unknown): Promise<number> => statusOf(tokenOf(rsa, accessClaims(issuer, { shops })))
  for (const shops of ['store', ['mute', 'store'], '*', ['*']]) t.equal(await status(shops), 200, JSON.stringify(shops))
  for (const shops of [undefined, 'mute', [], 'Store', 'store mute', 'store ', { store: true }]) t.equal(await status(shops), 403, JSON.stringify(shops))
})

t.test('JWT: a flood of unknown kids causes one fetch in 30 s, while known keys serve on; a rotation during the flood is picked up', async t => {
  let time = 0
  const { app, issuer, statusOf } = await start(t, {}, { steady: () => time })
  const known = tokenOf(rsa, accessClaims(issuer))
  t.equal(await statusOf(known), 200)
  t.equal(issuer.fetches, 1)
  const rotated = signingKey('rotated')
  const next = tokenOf(rotated, accessClaims(issuer))
  let accepted = 0
  for (let second = 0; second <= 62; second++) {
    time = second * 1000
    if (second === 10) issuer.publish(ec, rsa, rotated)
    const flood = Array.from({ length: 30 }, async (_, i) => statusOf(tokenOf(ec, accessClaims(issuer), { kid: `unknown-${second}-${i}` })))
    t.strictSame(new Set(await Promise.all(flood)), new Set([401]))
    t.equal(await statusOf(known), 200, 'a known key serves on')
    if (await statusOf(next) === 200) accepted ||= second
  }
  t.equal(issuer.fetches, 3, 'at the start, at 30 s and at 60 s')
  t.equal(accepted, 30, 'the new key is known with the next fetch')
  t.equal((await app.inject('/health/live')).statusCode, 200)
})

t.test('JWT: concurrent tokens of a new key wait for one fetch', async t => {
  let time = 0
  const { issuer, statusOf } = await start(t, {}, { steady: () => time })
  await statusOf(tokenOf(rsa, accessClaims(issuer)))
  const rotated = signingKey('rotated')
  issuer.publish(rotated)
  time = 30_000
  const statuses = await Promise.all(Array.from({ length: 20 }, async (_, i) => statusOf(tokenOf(rotated, accessClaims(issuer, { jti: i })))))
  t.strictSame(new Set(statuses), new Set([200]))
  t.equal(issuer.fetches, 2)
})

t.test('JWT: a withdrawn key ends with the next fetch, for remembered tokens too', async t => {
  let time = 0
  const { issuer, statusOf } = await start(t, {}, { steady: () => time })
  const withdrawn = tokenOf(rsa, accessClaims(issuer))
  t.equal(await statusOf(withdrawn), 200)
  issuer.publish(ec)
  time = 30_000
  await statusOf(tokenOf({ ...ec, kid: 'unknown' }, accessClaims(issuer)))
  await eventually('the key is withdrawn', async () => await statusOf(withdrawn) === 401)
  t.equal(await statusOf(tokenOf(ec, accessClaims(issuer))), 200)
})

t.test('JWT: an endpoint that fails never replaces a good set', async t => {
  let time = 0
  const { issuer, statusOf } = await start(t, {}, { steady: () => time })
  const good = tokenOf(rsa, accessClaims(issuer))
  t.equal(await statusOf(good), 200)
  const { jwk } = rsa
  const answers = [
    { status: 200, type: 'text/html', body: '<html>we are back soon</html>' },
    { status: 200, type: 'application/json', body: '{"keys":[]}' },
    { status: 200, type: 'application/json', body: '{}' },
    { status: 200, type: 'application/json', body: 'null' },
    { status: 200, type: 'application/json', body: '{"keys":{}}' },
    { status: 200, type: 'application/json', body: JSON.stringify({ keys: [null, { ...jwk, use: 'enc' }, { ...jwk, kid: undefined }, { kty: 'oct', k: 'AA', kid: rsa.kid }] }) },
    { status: 200, type: 'application/json', body: ' '.repeat(2 * 1024 * 1024) },
    { status: 500, type: 'application/json', body: JSON.stringify({ keys: [ec.jwk] }) },
    { status: 302, type: 'application/json', body: JSON.stringify({ keys: [ec.jwk] }) }
  ]
  for (const [i, answer] of answers.entries()) {
    issuer.answer = answer
    time += 30_000
    t.equal(await statusOf(tokenOf({ ...ec, kid: 'unknown' }, accessClaims(issuer))), 401)
    t.equal(issuer.fetches, i + 2)
    t.equal(await statusOf(tokenOf(rsa, accessClaims(issuer, { jti: i }))), 200, answer.body.slice(0, 40))
  }
})

t.test('JWT: keys without alg, with EC and OKP keys among them, are read, and a bad key leaves the others', async t => {
  const { alg: _, use: __, ...plain } = rsa.jwk
  const okp = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo', kid: 'okp' }
  const issuer = await startIssuer(t)
  issuer.answer.body = JSON.stringify({ keys: [okp, { kty: 'RSA', kid: 'broken', n: 7, e: 'AQAB' }, { kty: 'EC', crv: 'P-521', x: 'AA', y: 'AA', kid: 'p521' }, plain, { ...ec.jwk, alg: undefined }] })
  const { app } = await startGateway(t, undefined, { authentication: { schemes: ['jwt'], jwt: issuer.options() } })
  for (const key of [rsa, ec]) t.equal((await app.inject({ url: path, headers: { authorization: `Bearer ${tokenOf(key, accessClaims(issuer))}` } })).statusCode, 200, key.alg)
})

t.test('JWT: while the issuer was never reached, tokens are refused like any other', async t => {
  const issuer = await startIssuer(t, rsa)
  issuer.answer.status = 503
  const { app } = await startGateway(t, undefined, { authentication: { schemes: ['jwt'], jwt: issuer.options() } })
  t.match(await app.inject({ url: path, headers: { authorization: `Bearer ${tokenOf(rsa, accessClaims(issuer))}` } }), { statusCode: 401, body: /"Unauthorized"/ })
})

t.test('JWT: over the network too, a token of 100 KB is refused like any other, and other headers of that size are too large', async t => {
  const { app, issuer } = await start(t)
  const raw = await rawRequests(t, app)
  const long = tokenOf(rsa, { ...accessClaims(issuer), more: 'x'.repeat(75_000) })
  const refused = await raw(`GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${long}\r\n\r\n`)
  t.match(refused, { status: 401, headers: { 'www-authenticate': 'Bearer realm="gateway", error="invalid_token"' }, body: /^\{"type":"Auth","code":"Unauthorized","message":"expected valid credentials","requestId":"[^"]+"\}$/ })
  t.match(await raw(`GET ${path} HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(100_000)}\r\n\r\n`), { status: 431 })
})
