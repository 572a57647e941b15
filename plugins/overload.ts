import { monitorEventLoopDelay } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import underPressure from '@fastify/under-pressure'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Counter, Gauge } from 'prom-client'
import { createAdaptiveLimit, type Work } from '../src/base/adaptive-limit.ts'
import { GatewayError } from '../src/base/errors.ts'

/** The order in which requests give way when the process has too much to do: bulk requests, then writes, then reads. Probes and cache hits never do. */
export type Priority = 'probe' | 'read' | 'write' | 'bulk'

declare module 'fastify' {
  interface FastifyInstance {
    /** Counts the work of a request from now until its answer is sent. @throws GatewayError 503 if there is too much work */
    beginWork: (reply: FastifyReply) => void
  }
  interface FastifyReply {
    /** The work of the request; undefined before it begins, and for cache hits. */
    work: Work | undefined
  }
  interface FastifyContextConfig {
    /** Absent: `write` if the route writes, else `read`. */
    priority?: Priority
    /** Whether the route itself calls `beginWork`, for the requests that the cache does not answer. */
    beginsWork?: boolean
  }
}

export interface OverloadOptions {
  /** Milliseconds on a clock that nobody sets. */
  now: () => number
  /** The most requests in flight, busy or not: each holds memory while it waits for a provider. */
  most?: number | undefined
}

/** The part of the limit that requests of a priority may fill. */
const shares: Readonly<Record<Exclude<Priority, 'probe'>, number>> = { read: 1, write: 0.75, bulk: 0.4 }

/** The interval at which the limit adapts, and of the samples of the event loop's delay, in ms. */
const interval = 100
const resolution = 10

/** The mean delay of the event loop in a second, in ms, and the part of the heap, from which on little but probes and hits is answered. */
const longestDelay = 500
const fullestHeap = 0.92

/**
 * So many requests may be in flight whatever limit and guards say: a process that starts, shares its core, or waits for a slow provider is
 * slow without a load.
 */
const always: Readonly<Record<Exclude<Priority, 'probe'>, number>> = { read: 1_024, write: 256, bulk: 16 }

/** Refused requests must cost little, so that they share one error. */
const refusal = new GatewayError('Overloaded', 'the gateway has more requests than it can answer in time', { retryAfter: 1 })

/**
 * Refuses requests while more are in flight than this process can answer in time, before anything else of them is read. Requests count
 * from when their bodies have arrived, so that a slow client takes no room. Inference counts only what the cache does not answer.
 */
export default fp<OverloadOptions>(async (app, { now, most = 10_000 }) => {
  const limit = createAdaptiveLimit({ now, most, least: 32 })
  const refused = { read: 0, write: 0, bulk: 0 }
  // The limit decides by priority: the plugin only measures.
  await app.register(underPressure, {
    maxEventLoopDelay: longestDelay,
    maxHeapUsedBytes: getHeapStatistics().heap_size_limit * fullestHeap,
    pressureHandler: () => undefined
  })

  const mayBegin = (priority: Priority): boolean => {
    if (priority === 'probe' || limit.inFlight < Math.min(most * shares[priority], always[priority]) || (limit.hasRoom(shares[priority]) && !app.isUnderPressure())) return true
    refused[priority]++
    return false
  }

  const endWork = (reply: FastifyReply, counts: boolean): void => {
    if (reply.work !== undefined) limit.end(reply.work, counts)
    reply.work = undefined
  }

  app.decorateReply('work')
  app.decorate('beginWork', reply => {
    const { request } = reply
    if (reply.work !== undefined) return
    if (!mayBegin(priorityOf(request))) throw refusal
    reply.work = limit.begin(request.routeOptions.url ?? '')
    // Fastify tells of an answer that was sent, and not of a client that has gone.
    reply.raw.once('close', () => { endWork(reply, false) })
  })
  app.addHook('onRequest', (request, _reply, done) => {
    if (request.routeOptions.config?.beginsWork === true || mayBegin(priorityOf(request))) done()
    else done(refusal)
  })
  app.addHook('preValidation', (request, reply, done) => {
    if (request.routeOptions.config.beginsWork !== true) app.beginWork(reply)
    done()
  })
  app.addHook('onResponse', (_request, reply, done) => {
    endWork(reply, reply.statusCode < 400)
    done()
  })

  const delays = monitorEventLoopDelay({ resolution })
  delays.enable()
  let before = performance.eventLoopUtilization()
  const timer = setInterval(() => {
    const current = performance.eventLoopUtilization()
    // Without a sample, the loop has been blocked since the last call.
    const delay = delays.count === 0 ? interval : Math.max(0, delays.mean / 1e6 - resolution)
    limit.adapt({ utilisation: performance.eventLoopUtilization(current, before).utilization, delay })
    before = current
    delays.reset()
  }, interval).unref()
  app.addHook('onClose', async () => {
    clearInterval(timer)
    delays.disable()
  })
  app.addHook('onReady', async () => {
    const { registry } = app.metrics
    registry.registerMetric(new Gauge({ name: 'gateway_requests_in_flight', help: 'Requests that the gateway works at, without cache hits.', registers: [], collect () { this.set(limit.inFlight) } }))
    registry.registerMetric(new Gauge({ name: 'gateway_requests_in_flight_limit', help: 'How many of them there may be now.', registers: [], collect () { this.set(limit.limit) } }))
    registry.registerMetric(new Counter({
      name: 'gateway_requests_refused_total',
      help: 'Requests that were refused because there was too much to do.',
      labelNames: ['priority'],
      registers: [],
      collect () {
        this.reset()
        for (const [priority, count] of Object.entries(refused)) this.inc({ priority }, count)
      }
    }))
  })
}, { name: 'overload', dependencies: ['errors', 'cors'] })

function priorityOf ({ routeOptions: { config } }: FastifyRequest): Priority {
  if (config?.quiet === true) return 'probe'
  return config?.priority ?? (config?.access === 'write' ? 'write' : 'read')
}
