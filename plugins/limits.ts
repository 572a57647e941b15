import fp from 'fastify-plugin'
import { GatewayError } from '../src/base/errors.ts'

export interface LimitsOptions {
  /** In characters. */
  longestUrl: number
  /** The most connections of this process. */
  mostConnections: number
}

/** The shortest time between two times at which idle connections are closed, in ms. */
const pause = 1_000

/**
 * Refuses URLs that are longer than the length that the gateway guarantees to take, and bounds the connections. If there are too many, it
 * closes a new one at once, and those that are idle, so that a probe soon finds room again.
 */
export default fp<LimitsOptions>(async (app, { longestUrl, mostConnections }) => {
  app.addHook('onRequest', ({ raw }, _reply, done) => {
    if (raw.url!.length > longestUrl) done(new GatewayError('UrlTooLong', `the URL is too long; expected at most ${longestUrl} characters`))
    else done()
  })

  let closedAt = -Infinity
  app.server.maxConnections = mostConnections
  app.server.on('drop', () => {
    if (performance.now() - closedAt < pause) return
    closedAt = performance.now()
    app.log.warn({ mostConnections }, 'there are too many connections: new ones are closed')
    app.server.closeIdleConnections()
  })
}, { name: 'limits', dependencies: ['errors'] })
