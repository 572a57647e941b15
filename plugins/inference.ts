import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { LRUCache } from 'lru-cache'
import type { Found } from '../src/cache/cache.ts'
import { cacheStatus } from '../src/cache/cache-status.ts'
import { evaluate, namedTag } from '../src/cache/conditional.ts'
import { acceptedEncodings, encodedTag, leastEncoded, select } from '../src/cache/content-encoding.ts'
import type { Plan } from '../src/plan/plan.ts'
import { surroundingsOf } from '../src/context/surroundings.ts'
import { GatewayError } from '../src/base/errors.ts'
import { interleaved } from '../src/experiments/interleave.ts'
import { requireUser } from '../src/security/access.ts'
import { largeAnswer, occupyAnswerRoom } from '../src/inference/answer-room.ts'
import { assign, type Assigned } from '../src/inference/assign.ts'
import type { Blended } from '../src/inference/blend.ts'
import { findRecommender, infer, prepare, type Inference } from '../src/inference/infer.ts'
import type { InferenceRequest } from '../src/inference/request.ts'
import { addVary } from './cors.ts'
import { onceAnswered } from './once-answered.ts'
import { ignoredParameters } from './parameters.ts'

declare module 'fastify' {
  interface FastifyReply {
    /** Answers an inference request under the current configuration; synchronously if the memory tier has the answer, and no other system is asked. */
    infer: (request: InferenceRequest) => Promise<void> | undefined
  }
}

/** The approximate memory, in bytes, for all remembered URLs (`mostRemembered`) and for each of them besides its text (`overhead`). */
const mostRemembered = 16 * 1024 * 1024
const overhead = 1_000

/** A resolved URL. */
interface Remembered {
  inference: Inference
  /** The header that names the parameters without effect. */
  ignored: string | undefined
  /** The time, in epoch ms, at which an experiment starts or ends, so that the URL has to be resolved anew. */
  until: number
}

/**
 * Sends the answers of inference over HTTP. The plugin remembers recent URLs, and does not parse, validate and resolve them again. Hooks
 * that guard these routes have to be registered before this plugin, as authentication is.
 */
export default fp(async app => {
  const { cache, resources } = app
  const { ids, blend, exposures } = app.experiments
  const { encoder } = app.cacheParts
  // The next configuration cannot use the inferences that this one has resolved, and they would keep the old plan in memory.
  let settledBy: Plan | undefined
  const lately = new LRUCache<string, Remembered>({ maxSize: mostRemembered, sizeCalculation: (_value, url) => overhead + 3 * url.length })

  app.addHook('onRequest', ({ raw, principal }, reply, done) => {
    if (settledBy !== app.config.current) forget()
    // `peek` does not update the order of eviction. That is cheaper, and a frequent URL is soon remembered again.
    const remembered = raw.method === 'GET' || raw.method === 'HEAD' ? lately.peek(raw.url!) : undefined
    if (remembered === undefined || (remembered.until !== Infinity && remembered.until <= resources.now())) return done()
    const { inference, ignored } = remembered
    if (inference.request.userId !== undefined) requireUser(principal, inference.request.userId)
    if (ignored !== undefined) reply.header(ignoredParameters, ignored)
    respond(reply, inference)?.catch((error: unknown) => { reply.send(error) })
  })

  app.decorateReply('infer', function (this: FastifyReply, request: InferenceRequest) {
    const { plan } = app.config
    if (request.userId !== undefined) requireUser(this.request.principal, request.userId)
    const surroundings = surroundingsOf(this.request.headers, app.clock)
    const assigned = assign(findRecommender(plan, request), request, surroundings, resources.now())
    const answerBy = (assigned: Assigned): Promise<void> | undefined => {
      const isPost = this.request.method === 'POST'
      const inference = prepare(plan, request, surroundings, !isPost, assigned)
      // If the answer depends on headers, another request for the same URL may get another answer.
      const isSettled = inference.recommender.vary === '' && assigned.settledUntil > resources.now()
      if (!isPost && plan === settledBy && isSettled) lately.set(this.request.raw.url!, { inference, ignored: this.getHeader(ignoredParameters) as string | undefined, until: assigned.settledUntil })
      return respond(this, inference)
    }
    return assigned instanceof Promise ? assigned.then(answerBy) : answerBy(assigned)
  })

  function forget (): void {
    settledBy = app.config.current
    lately.clear()
  }

  /** Answers a resolved inference; synchronously if the memory tier has the answer. */
  function respond (reply: FastifyReply, inference: Inference): Promise<void> | undefined {
    if (inference.opponent !== undefined) return respondBlended(reply, inference, inference.opponent)
    const found = cache.peek(inference.lookup)
    if (found === undefined) {
      app.beginWork(reply)
      return infer(inference, cache, ids).then(made => { answer(reply, inference, made) })
    }
    answer(reply, inference, found)
    return undefined
  }

  /** Answers with the lists of two variations in one. Where one fails, or another variation answers for it, the other list goes out alone. */
  async function respondBlended (reply: FastifyReply, inference: Inference, opponent: Inference): Promise<void> {
    const peeked = [inference, opponent].map(one => cache.peek(one.lookup))
    if (peeked.includes(undefined)) app.beginWork(reply)
    const [first, second] = await Promise.allSettled([inference, opponent].map(async (one, i) => peeked[i] ?? infer(one, cache, ids)))
    const [one, other] = [first!, second!].map(outcome => outcome.status === 'fulfilled' && degradationOf(outcome.value) === undefined ? outcome.value : undefined)
    if (one !== undefined && other !== undefined) {
      const blended = await blend(inference, one, other)
      answer(reply, inference, blended.found, blended)
    } else if (other !== undefined) answer(reply, opponent, other)
    else if (first!.status === 'fulfilled') answer(reply, { ...inference, opponent: undefined }, first!.value)
    else if (second!.status === 'fulfilled') answer(reply, opponent, second!.value)
    else throw first!.reason
  }

  function answer (reply: FastifyReply, inference: Inference, found: Found, blended?: Blended): void {
    const { recommender, variation, user, configVersion, lookup } = inference
    const { entry, timing } = found
    const { method, headers } = reply.request
    const isPost = method === 'POST'
    const verdict = isPost ? 'send' : evaluate(entry.etag, headers)
    if (verdict === 'precondition-failed') throw new GatewayError('PreconditionFailed', `If-Match: the answer is ${entry.etag} now`)
    const mayEncode = !isPost && blended === undefined && entry.body.length >= leastEncoded
    const accepted = mayEncode ? acceptedEncodings(headers['accept-encoding']) : []
    const { body, etag, encoding } = select(entry, accepted)

    const degraded = degradationOf(found)
    if (configVersion !== undefined) reply.header('x-personalization-config-version', configVersion)
    reply.header('x-personalization-variation', entry.variation)
    if (degraded !== undefined) reply.header('x-personalization-degraded', degraded)
    if (entry.undecorated !== undefined) reply.header('x-personalization-undecorated', entry.undecorated)
    if (timing !== undefined && timing !== '') reply.header('server-timing', timing)
    const vary = mayEncode ? recommender.varyEncoded : recommender.vary
    if (vary !== '') addVary(reply, vary)
    if (isPost) {
      reply.header('cache-control', 'no-store')
    } else {
      const now = resources.steady()
      const brief = degraded !== undefined || entry.undecorated !== undefined || found.stale !== undefined || found.unverified === true
      const cacheControl = variation.cacheControl(user, isAuthenticated(headers), brief, inference.membership !== undefined)
      if (cacheControl !== undefined) reply.header('cache-control', cacheControl)
      reply.header('cache-status', cacheStatus(found, now))
      // The caller may hold the answer in any encoding that it accepts. A 304 names the tag of the caller's copy.
      reply.header('etag', verdict === 'send' ? etag : namedTag(headers['if-none-match'], [etag, entry.etag, ...accepted.map(other => encodedTag(entry.etag, other))]))
    }
    expose(reply, inference, found, blended)
    if (verdict === 'not-modified') {
      sendNotModified(reply)
      return
    }
    const [wanted] = accepted
    if (wanted !== undefined && wanted !== encoding && found.from !== 'origin') encoder.want(lookup.key, entry, wanted)
    if (encoding !== undefined) reply.header('content-encoding', encoding)
    if (found.from === 'origin' && found.collapsed !== true && body.length >= largeAnswer) occupyRoom(reply.raw, body.length)
    reply.type(json).send(body)
  }

  /** Notes that the user sees the answer. An answer that another variation gave, or an old one in place of a failure, is no exposure. */
  function expose ({ request: { method } }: FastifyReply, { request: { userId }, membership, variation, matched }: Inference, found: Found, blended: Blended | undefined): void {
    if (membership === undefined || (matched === undefined && blended === undefined) || degradationOf(found) !== undefined || method === 'HEAD') return
    const { entry: { body, etag } } = found
    exposures.note({ experiment: membership.experiment, variation: blended === undefined ? variation.name : interleaved, userId: userId!, body, etag, found, blended })
  }
}, { name: 'inference', dependencies: ['authentication', 'config', 'cache', 'clock', 'experiments', 'overload', 'parameters'] })

const json = 'application/json; charset=utf-8'

/** How long a client may take to read a large answer, in ms: as long as it may take to send a large request. */
const longestReading = 30_000

/** Takes room for a large answer until it is sent. A client that reads it too slowly is cut off. */
function occupyRoom (response: ServerResponse, size: number): void {
  const leave = occupyAnswerRoom(size)
  const timer = setTimeout(() => { response.destroy() }, longestReading).unref()
  onceAnswered(response, () => {
    clearTimeout(timer)
    leave()
  })
}

/** Sends a 304. For a HEAD request Fastify would add `Content-Length: 0`, which a 304 for a longer answer must not have (RFC 9110 §8.6). */
function sendNotModified (reply: FastifyReply): void {
  if (reply.request.method === 'HEAD') reply.hijack().raw.writeHead(304, reply.getHeaders() as OutgoingHttpHeaders).end()
  else reply.code(304).send()
}

/** Returns the failure because of which another variation answered, or an old answer was served. */
function degradationOf ({ failure, entry }: Found): string | undefined {
  return failure ?? entry.degraded
}

function isAuthenticated (headers: FastifyRequest['headers']): boolean {
  return headers.authorization !== undefined || headers['x-api-key'] !== undefined
}
