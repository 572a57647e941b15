import etag from '@fastify/etag'
import fp from 'fastify-plugin'
import { evaluate } from '../src/cache/conditional.ts'

/** Adds an entity tag to answers to GET and HEAD with status 200, and answers `If-None-Match` with 304. */
export default fp(async app => {
  // The plugin would answer errors with 304 as well, and it does not read lists of tags.
  await app.register(etag, { replyWith304: false })
  app.addHook('onSend', ({ method, headers }, reply, payload, done) => {
    const tag = reply.getHeader('etag')
    if (typeof tag !== 'string') return done()
    if (reply.statusCode !== 200 || (method !== 'GET' && method !== 'HEAD')) {
      reply.removeHeader('etag')
    } else if (method === 'GET' && evaluate(tag, headers) === 'not-modified') {
      reply.code(304)
      return done(null, null)
    }
    return done(null, payload)
  })
}, { name: 'validators' })
