import fp from 'fastify-plugin'
import { linkStates } from '../src/cache/user-versions.ts'
import { AggregatorRegistry, type Aggregator, Counter, Gauge, Histogram, Registry } from 'prom-client'

declare module 'fastify' {
  interface FastifyInstance {
    /** The metrics of this process and of the other workers, in the text format of Prometheus. */
    metrics: {
      contentType: string
      text: () => Promise<string>
      /** The metrics of this process. */
      registry: Registry
    }
  }
}

/** Registers metrics that read the counts of the gateway's parts when they are scraped, so that requests count nothing twice. */
export default fp(async app => {
  const registry = new Registry()
  const { peers, metadataStats } = app.resources
  const own = async (): Promise<object> => registry.getMetricsAsJSON()
  peers.on('metrics', own)
  app.decorate('metrics', {
    registry,
    contentType: registry.contentType,
    text: async () => AggregatorRegistry.aggregate([await own(), ...(await peers.tell('metrics', null)).filter(Array.isArray)] as object[]).metrics()
  })
  const { stats, memory, encoder, redis } = app.cacheParts

  const counter = (name: string, help: string, read: () => number): void => {
    registry.registerMetric(new Counter({ name, help, registers: [], collect () { this.reset(); this.inc(read()) } }))
  }
  const labelled = (name: string, help: string, label: string, read: () => Record<string, number>): void => {
    registry.registerMetric(new Counter({
      name,
      help,
      registers: [],
      labelNames: [label],
      collect () {
        this.reset()
        for (const [value, count] of Object.entries(read())) this.inc({ [label]: value }, count)
      }
    }))
  }
  const gauge = (name: string, help: string, read: () => number, aggregator: Aggregator = 'sum'): void => {
    registry.registerMetric(new Gauge({ name, help, registers: [], aggregator, collect () { this.set(read()) } }))
  }

  labelled('gateway_cache_answers_total', 'Answers served, by how they were come by.', 'outcome', () => stats.served)
  counter('gateway_cache_outdated_total', 'Entries found, but outdated by an event of their user.', () => stats.outdated)
  counter('gateway_cache_failures_total', 'Answers that could not be made, with nothing stale to serve.', () => stats.failures)
  counter('gateway_cache_memory_evictions_total', 'Entries that had to go to make room.', () => memory.evictions)
  labelled('gateway_cache_encoded_total', 'Bodies compressed, by encoding.', 'encoding', () => encoder.made)
  gauge('gateway_cache_memory_entries', 'Entries in memory.', () => memory.entries)
  gauge('gateway_cache_memory_bytes', 'What they take.', () => memory.bytes)
  counter('gateway_redis_errors_total', 'Commands that failed or took too long.', () => stats.redisErrors)
  counter('gateway_cache_without_redis_total', 'Lookups that did without Redis since it was away.', () => stats.withoutRedis)
  counter('gateway_item_metadata_calls_total', 'Calls of DynamoDB for metadata of items.', () => metadataStats.calls)
  counter('gateway_item_metadata_throttled_total', 'Those that were refused for their rate, or left keys undone.', () => metadataStats.throttled)
  counter('gateway_item_metadata_retried_keys_total', 'Items that were asked for again.', () => metadataStats.retriedKeys)
  counter('gateway_item_metadata_cache_hits_total', 'Items that memory knew, or knew to be missing.', () => metadataStats.cacheHits)
  labelled('gateway_item_metadata_failures_total', 'Lookups in DynamoDB that did not get everything.', 'reason', () => metadataStats.failed)
  if (redis !== undefined) {
    gauge('gateway_redis_up', 'Whether Redis answers.', () => Number(redis.up), 'min')
    const state = new Gauge({
      name: 'gateway_redis_state',
      help: 'The state of the link to Redis: 1 for leased (memory answers with no question), linked (Redis verifies answers) or away (nobody can).',
      labelNames: ['state'],
      registers: [registry],
      collect () { for (const name of linkStates) state.set({ state: name }, Number(redis.state === name)) }
    })
    const duration = new Histogram({ name: 'gateway_redis_command_seconds', help: 'How long commands took.', registers: [registry], buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1] })
    app.cacheParts.onRedisCommand = seconds => { duration.observe(seconds) }
  }
}, { name: 'metrics', dependencies: ['resources', 'cache'] })
