import etag from '@fastify/etag'
import fp from 'fastify-plugin'
import { evaluate } from '../src/cache/conditional.ts'

/** What is sent from here on gets an entity tag where it is worth one: an answer to a GET that is no error. */
export default fp(async app => {
  // It would answer errors with 304, too, and knows no lists of tags.
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
