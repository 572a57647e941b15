import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'
import type { FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import { LRUCache } from 'lru-cache'
import type { Found } from '../src/cache/cache.ts'
import { cacheStatus } from '../src/cache/cache-status.ts'
import { evaluate } from '../src/cache/conditional.ts'
import type { Entry } from '../src/cache/entry.ts'
import type { Plan } from '../src/config/plan.ts'
import { GatewayError } from '../src/errors.ts'
import { infer, prepare, type Inference } from '../src/inference/infer.ts'
import type { InferenceRequest } from '../src/inference/request.ts'

declare module 'fastify' {
  interface FastifyReply {
    /** Answers an inference request under the configuration that serves now: at once where memory has the answer. */
    infer: (request: InferenceRequest) => Promise<void> | undefined
  }
}

/** What remembered URLs may take in memory, about, in bytes; and what each takes beside its text. */
const mostRemembered = 16 * 1024 * 1024
const overhead = 2_000

/** What a URL asks for, and the head of the answer that it got last. */
interface Remembered {
  readonly inference: Inference
  head?: Head
}

/** All that goes before a body but for what each request has of its own. It holds for as long as what it says of time. */
interface Head {
  readonly entry: Entry
  readonly age: number
  readonly authenticated: boolean
  /** Names and values in turn. */
  readonly fields: string[]
}

/**
 * Carries what inference answers into HTTP. A URL that was asked for lately has been read, validated and resolved before: all that is
 * not done again. Whatever guards these routes has to be registered before this plugin.
 */
export default fp(async app => {
  const { cache, resources } = app
  // What was settled by one configuration is of no use to the next, and would keep it alive.
  let settledBy: Plan | undefined
  const lately = new LRUCache<string, Remembered>({ maxSize: mostRemembered, sizeCalculation: (_value, url) => overhead + 3 * url.length })

  app.addHook('onRequest', ({ raw }, reply, done) => {
    if (settledBy !== app.config.current) forget()
    // Where it is in the order of those to be forgotten does not matter: what is asked for often is soon settled again.
    const known = raw.method === 'GET' || raw.method === 'HEAD' ? lately.peek(raw.url!) : undefined
    if (known === undefined) return done()
    const found = raw.method === 'GET' && !isConditional(raw.headers) ? cache.peek(known.inference.lookup) : undefined
    if (found !== undefined) sendHit(reply, known, found)
    else respond(reply, known.inference)?.catch((error: unknown) => { reply.send(error) })
  })

  /** The shortest way out: Fastify would look at each header once more, and has nothing to do with the body. */
  function sendHit (reply: FastifyReply, known: Remembered, found: Found): void {
    const { entry } = found
    const now = resources.now()
    const age = ageOf(entry, now)
    const authenticated = isAuthenticated(reply.request.headers)
    let { head } = known
    if (head === undefined || head.entry !== entry || head.age !== age || head.authenticated !== authenticated) {
      const fields = [...headersOf(known.inference, found, now, authenticated), ['content-type', json], ['content-length', String(entry.body.length)]].flat()
      head = known.head = { entry, age, authenticated, fields }
    }
    const own = Object.entries(reply.getHeaders()).flat() as string[]
    reply.hijack().raw.writeHead(200, [...own, ...head.fields]).end(entry.body)
  }

  app.decorateReply('infer', function (this: FastifyReply, request: InferenceRequest) {
    const { plan } = app.config
    const isPost = this.request.method === 'POST'
    const inference = prepare(plan, request, !isPost)
    if (!isPost && plan === settledBy) lately.set(this.request.raw.url!, { inference })
    return respond(this, inference)
  })

  function forget (): void {
    settledBy = app.config.current
    lately.clear()
  }

  /** At once where memory has the answer. */
  function respond (reply: FastifyReply, inference: Inference): Promise<void> | undefined {
    const found = cache.peek(inference.lookup)
    if (found === undefined) return infer(inference, cache).then(made => { answer(reply, inference, made) })
    answer(reply, inference, found)
    return undefined
  }

  function answer (reply: FastifyReply, inference: Inference, found: Found): void {
    const { entry } = found
    const { method, headers } = reply.request
    const verdict = method === 'POST' ? 'send' : evaluate(entry.etag, headers)
    if (verdict === 'precondition-failed') throw new GatewayError('PreconditionFailed', `If-Match: the answer is ${entry.etag} now`)
    for (const [name, value] of headersOf(inference, found, resources.now(), isAuthenticated(headers), method === 'POST')) reply.header(name, value)
    if (verdict === 'not-modified') sendNotModified(reply)
    else reply.type(json).send(entry.body)
  }
}, { name: 'inference', dependencies: ['config', 'cache'] })

const json = 'application/json; charset=utf-8'

/** The headers of an answer, but for those of its body. @param now epoch ms */
function headersOf ({ request, recommender, variation, configVersion }: Inference, found: Found, now: number, authenticated: boolean, isPost = false): Array<[name: string, value: string]> {
  const { entry, failure, timing } = found
  const degraded = failure ?? entry.degraded
  const isBrief = degraded !== undefined || found.stale !== undefined
  const headers: Array<[string, string | undefined]> = [
    ['x-personalization-config-version', configVersion],
    ['x-personalization-variation', entry.variation],
    ['x-personalization-degraded', degraded],
    ['server-timing', timing],
    ['vary', recommender.vary],
    ['cache-control', isPost ? 'no-store' : variation.cacheControl(userKind(request), authenticated, isBrief)]
  ]
  if (!isPost) {
    headers.push(['cache-status', cacheStatus(found, now)], ['etag', entry.etag])
    if (found.from !== 'origin') headers.push(['age', String(ageOf(entry, now))])
  }
  return headers.filter((header): header is [string, string] => header[1] !== undefined && header[1] !== '')
}

/** In seconds. */
function ageOf ({ madeAt }: Entry, now: number): number {
  return Math.max(0, Math.floor((now - madeAt) / 1000))
}

function isConditional (headers: IncomingHttpHeaders): boolean {
  return headers['if-none-match'] !== undefined || headers['if-match'] !== undefined
}

/** With the answer to a HEAD request Fastify would send `Content-Length: 0`, which no 304 may say of what is longer (RFC 9110 §8.6). */
function sendNotModified (reply: FastifyReply): void {
  if (reply.request.method === 'HEAD') reply.hijack().raw.writeHead(304, reply.getHeaders() as OutgoingHttpHeaders).end()
  else reply.code(304).send()
}

function userKind ({ userId, syntheticUser }: InferenceRequest): 'none' | 'synthetic' | 'given' {
  if (userId === undefined) return 'none'
  return syntheticUser ? 'synthetic' : 'given'
}

function isAuthenticated (headers: IncomingHttpHeaders): boolean {
  return headers.authorization !== undefined || headers['x-api-key'] !== undefined
}
