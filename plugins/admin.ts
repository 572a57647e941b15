import { createHash, timingSafeEqual } from 'node:crypto'
import type { onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { GatewayError } from '../src/base/errors.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Refuses a request without the admin key. */
    requireAdmin: onRequestHookHandler
  }
}

export interface AdminOptions {
  /** Absent: every request is refused. */
  adminKey?: string | undefined
}

/** Guards the routes that show the configuration and data of users. */
export default fp<AdminOptions>(async (app, { adminKey }) => {
  const expected = adminKey === undefined ? undefined : digest(adminKey)
  app.decorate('requireAdmin', ({ headers }, _reply, done) => {
    const given = headers['x-api-key']
    if (expected === undefined) done(new GatewayError('AdminClosed', 'this is closed: no ADMIN_KEY is set'))
    else if (typeof given !== 'string' || !timingSafeEqual(digest(given), expected)) done(new GatewayError('AdminKeyRequired', 'X-Api-Key: expected the admin key'))
    else done()
  })
}, { name: 'admin', dependencies: ['errors'] })

/** Returns the digest of a key. Digests have one length, as `timingSafeEqual` requires, and the comparison does not reveal the key. */
function digest (key: string): Buffer {
  return createHash('sha256').update(key).digest()
}
