import fp from 'fastify-plugin'
import { GatewayError } from '../src/base/errors.ts'

export const longestUrl = 8192

/** Refuses URLs that are longer than the length that the gateway guarantees to take. */
export default fp(async app => {
  app.addHook('onRequest', ({ raw }, _reply, done) => {
    if (raw.url!.length > longestUrl) done(new GatewayError('UrlTooLong', `the URL is too long; expected at most ${longestUrl} characters`))
    else done()
  })
}, { name: 'limits', dependencies: ['errors'] })
