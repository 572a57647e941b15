/**
 * Does the cache save calls without serving outdated lists, and does memory stay flat?
 *   node dist/bench/soak.js [--seconds 600] [--rate 400] [--users 100000] [--events 0.05] [--pace 15] [--session 20] [--latency 20]
 *                           [--cache-mib 64] [--workers 1] [--redis URL [--instances 1]] [--seed 1]
 *   node dist/bench/soak.js --mixes       predictions for other mixes of requests, without a gateway, in a few seconds
 * The gateway serves the lists of an HTTP origin at a steady rate. Its cache has its defaults (ttl 300, staleWhileRevalidate 60,
 * refreshOnEvents) and is full at the beginning, so that memory is measured while old entries are evicted. Each list contains the time at
 * which the origin was called for it. The reference is a model of a cache that keeps each user's list for 10 s, whatever happens, as the
 * deployment of the AWS sample does. It gets the same reads, and has unlimited memory.
 *
 * The mix: users are drawn by their popularity (Zipf, exponent 1, over 100,000), and each has at most one session at a time. In a session a
 * user sends a request every 15 s in the mean (exponentially distributed), and 20 requests in the mean, so that a session takes about five
 * minutes. One request in 20 is an event. Both caches begin with none of the users' lists.
 * The ratio of calls depends on the mix (--mixes). It is 5.2 in ten minutes of this mix, 5.8 in an hour, and 2.0 in its first minute, in
 * which most reads are a user's first. It is lower if there are more events (4.0 with one event in ten requests, 2.6 with one in five),
 * since each event costs a call at the next read. It is lower if a user sends the next request within 10 s (4.0 with one request in 5 s),
 * since a fixed TTL helps there as well. It is 1.9 without sessions, if the user of each request is drawn anew (--pace 0): then most users
 * send one request in ten minutes, for which no cache helps. The most popular user sends 33 requests a second, 1.6 of them events, which
 * cost more calls than in a cache that ignores events.
 */
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createHistogram } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Agent } from 'undici'
import { packagedFile } from '../src/settings.ts'
import { freePort } from './free-port.ts'
import { answering, openProcesses } from './hits-processes.ts'
import { fixedTtl, predict, untilNextEvent } from './soak-models.ts'
import { readList, startOrigin } from './soak-origin.ts'
import { createTraffic, type Mix } from './soak-traffic.ts'
import { createFreshness, readMemory, thirds, type Memory } from './soak-watch.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    rate: { type: 'string', default: '400' },
    users: { type: 'string', default: '100000' },
    events: { type: 'string', default: '0.05' },
    pace: { type: 'string', default: '15' },
    session: { type: 'string', default: '20' },
    latency: { type: 'string', default: '20' },
    'cache-mib': { type: 'string', default: '64' },
    workers: { type: 'string', default: '1' },
    redis: { type: 'string' },
    instances: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    mixes: { type: 'boolean', default: false }
  }
})
const seconds = Number(values.seconds)
const seed = Number(values.seed)
const cacheBytes = Number(values['cache-mib']) * 1024 * 1024
const mix: Mix = { users: Number(values.users), rate: Number(values.rate), events: Number(values.events), pace: Number(values.pace), session: Number(values.session) }

const promisedSaving = 5
const promisedGrowth = 0.05

/** The most requests at once. Beyond them the benchmark waits, so that its own memory is bounded. */
const mostUnderWay = 2_000

/** A lower bound for the memory of an entry besides its body, in bytes: rather too many entries should fill the cache than too few. */
const leastOverhead = 500

/** Part of user ids: each run has other users, since Redis may still have the lists of an earlier run. */
const run = randomUUID().slice(0, 8)
const agent = new Agent({ connections: 256 })

if (values.mixes) reportMixes()
else await main()

async function main (): Promise<void> {
  const processes = openProcesses('soak')
  const origin = await startOrigin(mix.users, Number(values.latency))
  try {
    const gateways = await Promise.all(Array.from({ length: values.redis === undefined ? 1 : Number(values.instances) }, async (_, i) => startGateway(i)))
    for (const { url } of gateways) await fillCache(url)
    const found = await soak(gateways, () => origin.calls)
    report(found)
  } finally {
    origin.close()
    await agent.destroy()
    await processes.close()
  }

  async function startGateway (i: number): Promise<Gateway> {
    const port = await freePort()
    const config = {
      title: run,
      cacheControl: { userSpecified: { maxAge: 10, directives: 'private' }, server: { ttl: 300, staleWhileRevalidate: 60, staleIfError: 86_400 } },
      namespaces: {
        bench: {
          recommenders: { 'recommend-items': { remote: { variations: { http: { type: 'http', url: `http://127.0.0.1:${origin.port}/{userId}` } } } } },
          eventTargets: [{ type: 'embedded' }]
        }
      }
    }
    const file = join(processes.folder, 'config.json')
    writeFileSync(file, JSON.stringify(config))
    const env = {
      CONFIG_FILE: file,
      DATA_DIR: join(processes.folder, `data-${i}`),
      PORT: String(port),
      HOST: '127.0.0.1',
      LOG_LEVEL: 'warn',
      ACCESS_LOG: 'errors',
      WORKERS: values.workers,
      CACHE_MAX_BYTES: String(cacheBytes),
      REDIS_URL: values.redis ?? ''
    }
    const child = processes.start(process.execPath, [packagedFile('dist/src/server.js')], { env })
    const url = `http://127.0.0.1:${port}`
    await answering(`${url}/health/ready`, child)
    return { url, pid: child.pid! }
  }
}

interface Gateway {
  url: string
  pid: number
}

async function fillCache (url: string): Promise<void> {
  const { text } = await read(url, `filler-${run}-0`)
  const count = Math.ceil(cacheBytes / (text.length + leastOverhead)) * Number(values.workers)
  const started = performance.now()
  let next = 1
  await Promise.all(Array.from({ length: 64 }, async () => {
    while (next < count) await read(url, `filler-${run}-${next++}`)
  }))
  console.log(`filled the cache with ${count} lists in ${((performance.now() - started) / 1000).toFixed(1)} s`)
}

async function read (url: string, user: string): Promise<{ text: string, status: number, cacheStatus: string }> {
  const { statusCode, headers, body } = await agent.request({ origin: url, path: `/recommend-items/bench/remote/${user}`, method: 'GET' })
  return { text: await body.text(), status: statusCode, cacheStatus: String(headers['cache-status'] ?? '') }
}

/** Sends an event of a user. @returns whether it was accepted */
async function act (url: string, user: number): Promise<boolean> {
  const event = { userId: `user-${run}-${user}`, sessionId: `session-${run}-${user}`, eventList: [{ eventType: 'click', itemId: `item-${1000 + (user % 24) * 37}` }] }
  const { statusCode, body } = await agent.request({ origin: url, path: '/events/bench', method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(event) })
  await body.dump()
  return statusCode === 200
}

type Found = Awaited<ReturnType<typeof soak>>

async function soak (gateways: readonly Gateway[], calls: () => number) {
  const freshness = createFreshness(mix.users)
  const models = { fixed: fixedTtl(mix.users), gateway: untilNextEvent(mix.users) }
  const counts = { reads: 0, hits: 0, events: 0, refusedEvents: 0, failedReads: 0, readsSent: 0, latestSend: 0 }
  const outcomes = new Map<string, number>()
  const latency = { hit: createHistogram(), other: createHistogram() }
  const memory: Memory[] = []
  const pending = new Set<Promise<void>>()
  const pids = gateways.map(({ pid }) => pid)

  async function readOne (url: string, user: number): Promise<void> {
    const known = freshness.know(user)
    const started = performance.now()
    const { text, status, cacheStatus } = await read(url, `user-${run}-${user}`)
    const now = performance.now()
    if (status !== 200) throw new Error(`${status} ${text.slice(0, 300)}`)
    const outcome = cacheStatus.replace(/; ttl=-?\d+/, '')
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    const isHit = cacheStatus.includes('; hit')
    counts.reads++
    if (isHit) counts.hits++
    latency[isHit ? 'hit' : 'other'].record(Math.max(1, Math.round((now - started) * 1e6)))
    freshness.onList(user, known, readList(text), now)
  }

  async function actOne (url: string, user: number): Promise<void> {
    const sentAt = performance.now()
    if (await act(url, user)) {
      counts.events++
      freshness.onAccepted(user, sentAt, performance.now())
    } else {
      counts.refusedEvents++
    }
  }

  let complaints = 0
  const sampler = setInterval(() => { memory.push(readMemory(pids)) }, 1_000)
  const started = performance.now()
  let turn = 0
  try {
    for (const step of createTraffic(mix, seed)) {
      if (step.at > seconds) break
      const due = started + step.at * 1000
      while (performance.now() < due || pending.size >= mostUnderWay) await sleep(Math.max(1, due - performance.now()))
      counts.latestSend = Math.max(counts.latestSend, performance.now() - due)
      models.fixed.step(step)
      models.gateway.step(step)
      if (step.kind === 'read') counts.readsSent++
      const { url } = gateways[turn++ % gateways.length]!
      const request = (step.kind === 'read' ? readOne : actOne)(url, step.user).catch(error => {
        counts.failedReads++
        if (complaints++ < 5) console.error(String(error))
      })
      pending.add(request)
      void request.finally(() => pending.delete(request))
    }
    await Promise.all(pending)
  } finally {
    clearInterval(sampler)
  }
  return { ...counts, outcomes, latency, memory, freshness, calls: calls(), models }
}

function report ({ reads, hits, events, refusedEvents, failedReads, readsSent, latestSend, outcomes, latency, memory, freshness, calls, models }: Found): void {
  const share = (count: number, of: number): string => `${(100 * count / of).toFixed(1)} %`
  const ms = (ns: number): string => `${(ns / 1e6).toFixed(2)} ms`
  const saving = models.fixed.calls / calls
  console.log(`\n${seconds} s at ${mix.rate} requests/s: ${readsSent} reads, ${events} events accepted, ${refusedEvents} refused, ${failedReads} requests failed; sent late by at most ${latestSend.toFixed(0)} ms`)
  console.table(Object.fromEntries([...outcomes].sort((a, b) => b[1] - a[1]).map(([outcome, count]) => [outcome, { reads: count, share: share(count, reads) }])))
  console.table({
    'hit ratio': share(hits, reads),
    'p50, p99 of a hit': `${ms(latency.hit.percentile(50))}, ${ms(latency.hit.percentile(99))}`,
    'p50, p99 of others': `${ms(latency.other.percentile(50))}, ${ms(latency.other.percentile(99))}`,
    'calls of the origin': calls,
    'to be expected of the gateway': models.gateway.calls,
    'with 10 s for each list': models.fixed.calls,
    'times fewer calls': saving.toFixed(2),
    'lists older than the last event': freshness.violations,
    'made while it was being accepted': freshness.underWay,
    'older than one that had arrived': freshness.wentBack,
    'oldest list served': `${(freshness.oldest / 1000).toFixed(1)} s`
  })
  const [first, middle, last] = thirds(memory.map(({ rss }) => rss))
  const anonymous = thirds(memory.map(memory => memory.anonymous))
  const mib = (value: number): string => `${value.toFixed(1)} MiB`
  console.table({
    'first third': { RSS: mib(first), 'without files': mib(anonymous[0]) },
    'middle third': { RSS: mib(middle), 'without files': mib(anonymous[1]) },
    'last third': { RSS: mib(last), 'without files': mib(anonymous[2]) },
    'last : middle': { RSS: (last / middle).toFixed(3), 'without files': (anonymous[2] / anonymous[1]).toFixed(3) }
  })
  const promises: Array<[promise: string, value: string, holds: boolean]> = [
    ['memory of the last third within 5 % of the middle third', (last / middle).toFixed(3), Math.abs(last / middle - 1) <= promisedGrowth],
    ['≥ 5 × fewer calls of the origin than with 10 s for each list', saving.toFixed(2), saving >= promisedSaving],
    ['no list older than the last event accepted before it was asked for', String(freshness.violations), freshness.violations === 0 && failedReads === 0]
  ]
  for (const [promise, value, holds] of promises) console.log(`${holds ? 'holds         ' : 'DOES NOT HOLD '} ${promise}: ${value}`)
}

/** Predicts mixes that differ from the given one in one option each. */
function reportMixes (): void {
  const changes: Array<[string, Partial<Mix>]> = [
    ['as given', {}],
    ['no sessions', { pace: 0 }],
    ['no sessions, 1 % events', { pace: 0, events: 0.01 }],
    ['no sessions, ten times the rate', { pace: 0, rate: mix.rate * 10 }],
    ['a request in 5 s', { pace: 5 }],
    ['a request in 10 s', { pace: 10 }],
    ['a request in 30 s', { pace: 30 }],
    ['10 requests in a session', { session: 10 }],
    ['40 requests in a session', { session: 40 }],
    ['1 % events', { events: 0.01 }],
    ['2 % events', { events: 0.02 }],
    ['10 % events', { events: 0.1 }],
    ['20 % events', { events: 0.2 }]
  ]
  console.table(Object.fromEntries(changes.map(([name, change]) => {
    const { reads, users, fixed, gateway } = predict({ ...mix, ...change }, seconds, seed)
    return [name, { reads, users, 'calls with 10 s': fixed, 'calls until the next event': gateway, 'times fewer': (fixed / gateway).toFixed(2) }]
  })))
  console.log(`${seconds} s, ${mix.rate} requests/s, ${mix.users} users, ${100 * mix.events} % events, a request in ${mix.pace} s, ${mix.session} in a session, unless said otherwise`)
}
