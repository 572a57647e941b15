import jwt from '@fastify/jwt'
import type { FastifyInstance } from 'fastify'
import type { TokenTools } from '../src/security/jwt.ts'

/** Registers @fastify/jwt, and returns what the scheme of bearer tokens needs of it. The key of each token is the one that it names. */
export async function openTokenTools (app: FastifyInstance): Promise<TokenTools> {
  await app.register(jwt, {
    secret: async () => { throw new Error('no key is for all tokens') },
    decode: { complete: true },
    verify: { algorithms: ['RS256', 'ES256'], requiredClaims: ['exp'] }
  })
  return {
    decodeHeader: token => app.jwt.decode<{ header: Record<string, unknown> }>(token)!.header,
    verify: (token, { algorithm, pem }) => app.jwt.verify<Record<string, unknown>>(token, { key: pem, algorithms: [algorithm] })
  }
}
