import fp from 'fastify-plugin'
import { type Aggregator, Counter, Gauge } from 'prom-client'
import type { TargetStats } from '../src/targets/stats.ts'

const labelNames = ['namespace', 'target']

/** Registers the metrics of events at each target. Like other metrics, they are read when they are scraped. */
export default fp(async app => {
  const { registry } = app.metrics
  const { eventStats, sharedSessions } = app.resources

  const counter = (name: string, help: string, read: (stats: TargetStats) => number): void => {
    registry.registerMetric(new Counter({
      name,
      help,
      labelNames,
      registers: [],
      collect () {
        this.reset()
        for (const { namespace, target, stats } of eventStats.all()) this.inc({ namespace, target }, read(stats))
      }
    }))
  }
  const gauge = (name: string, help: string, read: (stats: TargetStats) => number, aggregator: Aggregator = 'sum'): void => {
    registry.registerMetric(new Gauge({
      name,
      help,
      labelNames,
      registers: [],
      aggregator,
      collect () {
        for (const { namespace, target, stats } of eventStats.all()) this.set({ namespace, target }, read(stats))
      }
    }))
  }

  counter('gateway_events_accepted_total', 'Events that the target was to get.', stats => stats.accepted)
  counter('gateway_events_delivered_total', 'Events that the target has.', stats => stats.delivered)
  counter('gateway_events_failed_total', 'Events that it does not have; their callers were told.', stats => stats.failed)
  counter('gateway_events_retried_total', 'Events, or records of several, that were tried again.', stats => stats.retried)
  counter('gateway_events_turned_away_total', 'Events that were refused with all that came with them, since the queue of the target was full.', stats => stats.turnedAway)
  gauge('gateway_event_queue_depth', 'Events, or records of several, that wait for the target or are on their way to it.', ({ queues }) => [...queues].reduce((sum, { depth }) => sum + depth, 0))
  gauge('gateway_event_queue_oldest_seconds', 'How long ago the oldest of them came.', ({ queues }) => Math.max(0, ...[...queues].map(({ oldest }) => oldest)) / 1000, 'max')

  counter('gateway_events_redelivered_total', 'Events of a queued target that were delivered again, since it was not acknowledged that it has them.', stats => stats.redelivered)
  counter('gateway_events_dead_lettered_total', 'Events of a queued target that were given up.', stats => stats.deadLettered)
  gauge('gateway_event_stream_waiting', 'Bodies that wait in Redis for a queued target.', ({ streams }) => Math.max(0, ...[...streams].map(({ waiting }) => waiting)), 'max')
  gauge('gateway_event_stream_dead_letters', 'Bodies in its stream of dead letters.', ({ streams }) => Math.max(0, ...[...streams].map(({ deadLetters }) => deadLetters)), 'max')

  registry.registerMetric(new Counter({
    name: 'gateway_shared_session_events_total',
    help: 'Events with a session id that many users send: the embedded recommender ignores it. Ten session ids of a namespace are named at most, the others are "".',
    labelNames: ['namespace', 'session'],
    registers: [],
    collect () {
      this.reset()
      for (const { namespace, sessionId = '', events } of sharedSessions.all()) this.inc({ namespace, session: sessionId }, events)
    }
  }))
  registry.registerMetric(new Counter({
    name: 'gateway_events_without_item_total',
    help: 'Events that name no item, neither in itemId nor in properties.',
    labelNames: ['namespace'],
    registers: [],
    collect () {
      this.reset()
      for (const [namespace, events] of eventStats.withoutItem) this.inc({ namespace }, events)
    }
  }))
}, { name: 'event-metrics', dependencies: ['resources', 'metrics'] })
