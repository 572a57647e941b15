/**
 * What does a cache hit cost, compared with a bare Fastify route?
 *   node dist/bench/hits.js [--rounds 7] [--seconds 3] [--connections 64] [--users 1000] [--log errors|all]
 * The gateway answers from its memory. The others answer the same bytes and headers: a Fastify route that does nothing else, Node's own
 * server, and nginx and Varnish in front of the gateway, if they are installed. `wrk` loads them one after the other, in another order in
 * each round, with requests for the list of one user and for the lists of many. Then the gateway and the bare route are loaded at a fixed
 * rate, half of the gateway's highest. It takes eight minutes. If there are two cores, servers run on one of them and clients on the other.
 * Promised: hits at 0.85 × of the bare route's rate, and at half load a p99 of at most 1.5 × of the bare route's. Hits in gzip at 0.85 × of the rate of plain
 * ones.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { packagedFile } from '../src/settings.ts'
import type { Latencies, Load } from './hits-load.ts'
import { installed, median, openProcesses, plainly, quantile, type Processes } from './hits-processes.ts'
import { checkSame, pathOf, readHit, startGateway, startNginx, startOrigin, startOwn, startVarnish, type Log, type Server } from './hits-servers.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '64' },
    users: { type: 'string', default: '1000' },
    log: { type: 'string', default: 'errors' }
  }
})
const rounds = Number(values.rounds)
const seconds = Number(values.seconds)
const connections = Number(values.connections)
const log: Log = values.log === 'all' ? 'all' : 'errors'
const manyPaths = Array.from({ length: Number(values.users) }, (_, i) => pathOf(`user-${i}`))

const promisedRate = 0.85
const promisedLatency = 1.5
const promisedEncodedRate = 0.85

/** The users whose lists are requested. */
interface Variant {
  name: string
  paths: string[]
  /** Arguments for wrk. */
  script: string[]
}

/** Times in ms. */
interface Round {
  rate: number
  p50: number
  p99: number
}

if (!installed('wrk')) {
  console.error('this benchmark needs wrk: apt-get install wrk')
  process.exit(1)
}
const processes = openProcesses('hits')
const origin = await startOrigin()
try {
  await main(processes)
} finally {
  origin.close()
  await processes.close()
}

async function main (processes: Processes): Promise<void> {
  const gateway = await startGateway(processes, origin.port, log)
  const hit = await readHit(gateway.port)
  const bare = await startOwn(processes, 'bare', hit, log)
  const byUrl = await startOwn(processes, 'by-url', hit, log)
  const plain = await startOwn(processes, 'plain', hit, log)
  for (const server of [bare, byUrl, plain]) await checkSame(server, hit)
  // With many users, each user has his own bytes, in the gateway and in its reference.
  const referenceOf = ({ paths }: Variant): Server => paths.length > 1 ? byUrl : bare
  const caches = [await startNginx(processes, gateway.port, log), await startVarnish(processes, gateway.port)].filter(server => server !== undefined)
  const inGzip: Server = { name: 'gateway, gzip', port: gateway.port, acceptEncoding: 'gzip' }
  const servers = [gateway, inGzip, bare, byUrl, plain, ...caches]
  const variants = createVariants(processes)
  console.log(`${hit.body.length} bytes, ${connections} connections, ${rounds} rounds of ${seconds} s, log: ${log}, ${processes.cores === undefined ? 'cores shared' : `servers on core ${processes.cores.server}, clients on core ${processes.cores.client}`}`)

  for (const server of servers) await warmUp(server, variants)
  await checkEncoded(inGzip)
  const measured = await measureRates(servers, variants)
  const promises: Array<[promise: string, value: number, holds: boolean]> = []
  for (const variant of variants) {
    const of = (server: Server): Round[] => measured.get(`${variant.name} ${server.name}`)!
    reportRates(variant, servers, bare, of)
    const reference = referenceOf(variant)
    const ratio = ratioOf(of(gateway), of(reference), 'rate')
    promises.push([`${variant.name}: hits ≥ ${promisedRate} × ${reference.name}`, ratio, ratio >= promisedRate])
    const encodedRatio = ratioOf(of(inGzip), of(gateway), 'rate')
    promises.push([`${variant.name}: hits in gzip ≥ ${promisedEncodedRate} × plain hits`, encodedRatio, encodedRatio >= promisedEncodedRate])
  }
  for (const variant of variants) {
    const rate = Math.round(median(measured.get(`${variant.name} ${gateway.name}`)!.map(round => round.rate)) / 2)
    const reference = referenceOf(variant)
    const ratio = await measureHalfLoad(gateway, [reference, inGzip], variant, rate)
    promises.push([`${variant.name}: p99 at half load ≤ ${promisedLatency} × ${reference.name}`, ratio, ratio <= promisedLatency])
  }
  for (const [promise, value, holds] of promises) console.log(`${holds ? 'holds         ' : 'DOES NOT HOLD '} ${promise}: ${value.toFixed(2)}`)
}

function createVariants ({ folder }: Processes): Variant[] {
  const script = join(folder, 'users.lua')
  const lines = manyPaths.map(path => `"${path}"`).join(',')
  writeFileSync(script, `
local paths = {${lines}}
local requests = {}
local i = 0
function init (args)
  for k, path in ipairs(paths) do requests[k] = wrk.format("GET", path) end
end
function request ()
  i = i % #requests + 1
  return requests[i]
end
`)
  return [
    { name: 'one user', paths: [pathOf('user-0')], script: [] },
    { name: `${manyPaths.length} users`, paths: manyPaths, script: ['-s', script] }
  ]
}

/** Everything is cached and compiled: what is measured is not how they begin. */
async function warmUp (server: Server, variants: readonly Variant[]): Promise<void> {
  for (const path of manyPaths) await (await fetch(`http://127.0.0.1:${server.port}${path}`, requestOf(server))).arrayBuffer()
  for (const { script } of variants) await wrk(server, script, 3)
}

function requestOf ({ acceptEncoding }: Server): { headers: Record<string, string> } {
  return acceptEncoding === undefined ? plainly : { headers: { 'accept-encoding': acceptEncoding } }
}

/** @throws where not every list comes encoded by now: then plain ones would be measured */
async function checkEncoded (server: Server): Promise<void> {
  const lengths = new Set<string | null>()
  for (const path of manyPaths) {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, requestOf(server))
    await response.arrayBuffer()
    if (response.headers.get('content-encoding') !== server.acceptEncoding) throw new Error(`${path} does not come in ${server.acceptEncoding}`)
    lengths.add(response.headers.get('content-length'))
  }
  console.log(`in ${server.acceptEncoding}: ${[...lengths].join(', ')} bytes`)
}

async function measureRates (servers: readonly Server[], variants: readonly Variant[]): Promise<Map<string, Round[]>> {
  const measured = new Map<string, Round[]>()
  for (let i = 0; i < rounds; i++) {
    for (const variant of variants) {
      for (const server of shuffled(servers)) {
        const key = `${variant.name} ${server.name}`
        measured.set(key, [...measured.get(key) ?? [], await wrk(server, variant.script, seconds)])
      }
    }
  }
  return measured
}

/** @throws where not every answer was a good one */
async function wrk ({ port, acceptEncoding }: Server, script: string[], duration: number): Promise<Round> {
  const headers = acceptEncoding === undefined ? [] : ['-H', `Accept-Encoding: ${acceptEncoding}`]
  const args = ['-t1', `-c${connections}`, `-d${duration}s`, '--latency', ...headers, ...script, `http://127.0.0.1:${port}${pathOf('user-0')}`]
  const output = await processes.run('wrk', args, { on: 'client' })
  const trouble = /^.*(Socket errors|Non-2xx).*$/m.exec(output)
  if (trouble !== null) throw new Error(`wrk ${args.join(' ')}: ${trouble[0].trim()}`)
  const latency = (share: number): number => {
    const [, value, unit] = new RegExp(`^\\s+${share}%\\s+([\\d.]+)(us|ms|s)$`, 'm').exec(output)!
    return Number(value) * { us: 0.001, ms: 1, s: 1000 }[unit as 'us' | 'ms' | 's']
  }
  return { rate: Number(/^Requests\/sec:\s+([\d.]+)$/m.exec(output)![1]), p50: latency(50), p99: latency(99) }
}

function shuffled<T> (values: readonly T[]): T[] {
  return values.map(value => ({ value, place: Math.random() })).sort((a, b) => a.place - b.place).map(({ value }) => value)
}

/** Returns the median of the ratios of the rounds: a slow moment of the machine slows down both servers of a round. */
function ratioOf<K extends string> (ours: ReadonlyArray<Record<K, number>>, theirs: ReadonlyArray<Record<K, number>>, what: K): number {
  return median(ours.map((round, i) => round[what] / theirs[i]![what]))
}

function reportRates ({ name }: Variant, servers: readonly Server[], bare: Server, of: (server: Server) => Round[]): void {
  console.log(`\nAs fast as they can, ${name}`)
  console.table(Object.fromEntries(servers.map(server => {
    const measured = of(server)
    const rates = measured.map(({ rate }) => rate)
    return [server.name, {
      'requests/s': Math.round(median(rates)),
      IQR: Math.round(quantile(rates, 0.75) - quantile(rates, 0.25)),
      p50: ms(median(measured.map(({ p50 }) => p50))),
      p99: ms(median(measured.map(({ p99 }) => p99))),
      'ratio to bare Fastify': ratioOf(measured, of(bare), 'rate').toFixed(2)
    }]
  })))
}

/** @returns the gateway's p99 in that of the first of the others */
async function measureHalfLoad (gateway: Server, others: readonly [Server, ...Server[]], { name, paths }: Variant, rate: number): Promise<number> {
  const servers = [gateway, ...others]
  const measured = new Map<Server, Latencies[]>(servers.map(server => [server, []]))
  for (let i = 0; i < rounds; i++) {
    for (const server of shuffled(servers)) {
      const { port, acceptEncoding } = server
      const load: Load = { port, paths, rate, seconds, connections, ...(acceptEncoding === undefined ? {} : { acceptEncoding }) }
      const output = await processes.run(process.execPath, [packagedFile('dist/bench/hits-load.js'), JSON.stringify(load)], { on: 'client' })
      measured.get(server)!.push(JSON.parse(output) as Latencies)
    }
  }
  console.log(`\nAt ${rate} requests/s, half of what the gateway can do, ${name}; from when each was due`)
  console.table(Object.fromEntries([...measured].map(([server, runs]) => [server.name, {
    p50: ms(median(runs.map(({ p50 }) => p50))),
    p99: ms(median(runs.map(({ p99 }) => p99))),
    'sent late by the client, p99': ms(median(runs.map(({ late }) => late.p99))),
    unanswered: Math.max(...runs.map(({ unanswered }) => unanswered))
  }])))
  const all = [...measured.values()].flat()
  const limited = all.filter(({ late, p99, unanswered }) => late.p99 > p99 / 2 || unanswered > 0).length
  if (limited > 0) console.log(`In ${limited} of ${all.length} runs the client was the bottleneck, or answers were missing: these latencies are mostly its own`)
  return ratioOf(measured.get(gateway)!, measured.get(others[0])!, 'p99')
}

function ms (value: number): string {
  return `${value.toFixed(2)} ms`
}
