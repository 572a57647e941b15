import type { Buffer } from 'node:buffer'
import type { ServerResponse } from 'node:http'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { createBodyRoom } from '../src/base/body-room.ts'
import type { JsonShape } from '../src/base/json-reader.ts'
import { readJsonBody } from '../src/base/read-json-body.ts'
import { receiveBody } from '../src/base/receive-body.ts'
import { beginTurns, createSequence, type Turn } from '../src/base/turns.ts'
import { onceAnswered } from './once-answered.ts'

/** Returns the value of a body. @throws GatewayError 400 */
export type ReadBody = (bytes: Buffer, shape: JsonShape, turn: Turn) => Promise<unknown>

/** A parser of bodies, for `addContentTypeParser`. */
export type BodyParser = (request: FastifyRequest, payload: FastifyRequest['raw']) => Promise<unknown>

declare module 'fastify' {
  interface FastifyInstance {
    /** Returns a parser that receives bodies within the limits of their route, and reads them in slices. */
    bodyParser: (read: ReadBody) => BodyParser
    /** The parser of JSON bodies. */
    parseJson: BodyParser
  }
  interface FastifyContextConfig {
    /** How JSON bodies of the route are read. */
    json?: Partial<JsonShape>
  }
}

const mebibyte = 1024 * 1024

/** The memory for large bodies that arrive, in bytes. */
const arriving = 24 * mebibyte

/** The memory for large bodies from the moment when they are read until their requests are answered, in bytes. */
const handled = 32 * mebibyte

/** The values of a body, and what is made of them, take this many times the memory of its text. */
const weight = 4

/** A body that is within the documented limits has less than one value on this many bytes. */
const bytesOfValue = 12

export interface BodiesOptions {
  /** The most lists and objects within each other in a body. */
  deepest: number
}

/** Receives and reads the bodies of requests. The routes check namespace and targets before, in `onRequest`. */
export default fp<BodiesOptions>(async (app, { deepest }) => {
  const room = createBodyRoom({ capacity: arriving })
  const handling = createBodyRoom({ capacity: handled })
  const inSequence = createSequence()

  const bodyParser = (read: ReadBody): BodyParser => async (request, payload) => {
    const { headers, routeOptions, is404 } = request
    // The body of a request without a route is not read.
    if (is404) return undefined
    const { bodyLimit, config } = routeOptions
    const length = headers['content-length'] === undefined ? undefined : Number(headers['content-length'])
    const { bytes, isLarge, release } = await receiveBody(payload, { limit: bodyLimit, length, encoding: headers['content-encoding'], room })
    const shape = { most: Math.ceil(bodyLimit / bytesOfValue), deepest, ...config.json }
    const turn = beginTurns()
    try {
      if (isLarge) onceAnswered(request.getDecorator<ServerResponse>('response'), await handling.take(weight * bytes.length))
      return await (isLarge ? inSequence(async () => turn.next().then(async () => read(bytes, shape, turn))) : read(bytes, shape, turn))
    } finally {
      release()
    }
  }

  app.decorateRequest('response', null)
  app.addHook('preParsing', (request, { raw }, _payload, done) => {
    request.setDecorator<ServerResponse>('response', raw)
    done()
  })
  app.decorate('bodyParser', bodyParser)
  app.decorate('parseJson', bodyParser(readJsonBody))
  app.addContentTypeParser('application/json', app.parseJson)
}, { name: 'bodies' })
