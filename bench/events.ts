/**
 * How many events does the gateway deliver to three targets?
 *   node dist/bench/events.js [--rounds 12] [--seconds 1] [--profile]
 * Kinesis, Firehose and a webhook are one cheap server on loopback, which counts the events that it gets. After each round, all accepted
 * events must be at all three. The benchmark also measures Personalize in the place of the webhook, which needs a call for each user. The
 * reference is a bare Fastify server that parses and validates the same bodies, and sends them nowhere.
 * The gateway runs on one core; the targets and the client share the other. It takes about five minutes, and reports medians of the rounds.
 * Memory is compared by thirds of the time. The rounds should be a multiple of three, so that each third has the same load, and enough for
 * the heap to settle within the first third.
 * Promised: 8,000 events/s in batches, 2,500 requests/s of single events, and at that rate a p99 of at most 60 ms; memory stays flat.
 */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { EventsLoad, EventsTaken } from './events-load.ts'
import { startBare, startEventGateway, startTargets, targetsOf, type BenchNamespace, type RunningServer } from './events-servers.ts'
import type { TargetName } from './events-stub.ts'
import { median, openProcesses, type Processes } from './hits-processes.ts'
import { readCpu, readMemory, thirds } from './soak-watch.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '12' },
    seconds: { type: 'string', default: '1' },
    profile: { type: 'boolean', default: false }
  }
})
const rounds = Number(values.rounds)
const seconds = Number(values.seconds)

type Variant = Pick<EventsLoad, 'path' | 'bodies' | 'events' | 'connections' | 'rate'> & { name: string, namespace: BenchNamespace }

const batch = { namespace: 'streams', path: '/events/streams/batch', connections: 8, rate: 0 } as const
const single = { namespace: 'streams', path: '/events/streams', bodies: 0, events: 1, connections: 64 } as const
const withPersonalize = { namespace: 'aws', connections: 64, rate: 0 } as const
const pacedRate = 2_500
const inBatches: Variant = { ...batch, name: 'batches of 50 bodies of 10 events', bodies: 50, events: 10 }
const smallBodies: Variant = { ...batch, name: 'batches of 500 bodies of 1 event', bodies: 500, events: 1 }
const saturating: Variant = { ...single, name: 'single events', rate: 0 }
const paced: Variant = { ...single, name: `single events, ${pacedRate} a second`, rate: pacedRate }
const variants: readonly Variant[] = [
  inBatches, smallBodies, saturating, paced,
  { ...withPersonalize, path: '/events/aws/batch', connections: 8, name: 'batches of 50 bodies of 10 events, with Personalize', bodies: 50, events: 10 },
  { ...withPersonalize, path: '/events/aws', name: 'single events, with Personalize', bodies: 0, events: 1 }
]

/** How much more memory the last third of the time may take than the first, as a factor. */
const promisedGrowth = 1.1

interface Round extends EventsTaken {
  /** The CPU time of the server, in ms. */
  cpu: number
}

interface Measured {
  gateway: Round[]
  bare: Round[]
}

const processes = openProcesses('events')
try {
  await main(processes)
} finally {
  await processes.close()
}

async function main (processes: Processes): Promise<void> {
  const targets = await startTargets(processes)
  const gateway = await startEventGateway(processes, targets.port, { on: 'server', flags: values.profile ? ['--cpu-prof', `--cpu-prof-dir=${process.cwd()}`] : [] })
  const bare = await startBare(processes)
  console.log(`${rounds} rounds of ${seconds} s, ${processes.cores === undefined ? 'cores shared' : `gateway and bare Fastify on core ${processes.cores.server}, targets and client on core ${processes.cores.client}`}`)
  const measured = new Map(variants.map((variant): [Variant, Measured] => [variant, { gateway: [], bare: [] }]))
  const memory: number[] = []
  // Warms up: after this, the code is compiled, and the gateway has allocated its memory for event ids.
  for (const variant of [saturating, inBatches, saturating]) for (const server of [bare, gateway]) await send(server, variant)
  for (let i = 0; i < rounds; i++) {
    for (const [variant, { gateway: ours, bare: theirs }] of measured) {
      theirs.push(await send(bare, variant))
      const before = await targets.counts()
      const watch = setInterval(() => { memory.push(readMemory([gateway.child.pid!]).rss) }, 100)
      const taken = await send(gateway, variant)
      clearInterval(watch)
      ours.push(taken)
      await checkArrived(variant, taken, before, targets.counts)
    }
  }
  report(measured)
  promise(measured, memory)
  await processes.stop(gateway.child)
}

async function send ({ port, child }: RunningServer, { name: _name, namespace: _namespace, ...variant }: Variant): Promise<Round> {
  const load: EventsLoad = { ...variant, ports: [port], seconds }
  const before = readCpu(child.pid!)
  const output = await processes.run(process.execPath, [join(import.meta.dirname, 'events-load.js'), JSON.stringify(load)], { on: 'client' })
  return { ...JSON.parse(output) as EventsTaken, cpu: readCpu(child.pid!) - before }
}

/** Compares the events that the targets got with those accepted. @throws if the numbers differ */
async function checkArrived ({ name, namespace }: Variant, { accepted, statuses, unanswered }: EventsTaken, before: Record<TargetName, number>, counts: () => Promise<Record<TargetName, number>>): Promise<void> {
  const after = await counts()
  const arrived = targetsOf[namespace].map(target => after[target] - before[target])
  const others = Object.keys(statuses).filter(status => status !== '200')
  if (others.length > 0 || unanswered > 0) console.log(`${name}: not all was accepted: ${JSON.stringify(statuses)}, ${unanswered} unanswered`)
  const holds = others.length > 0 || unanswered > 0 ? arrived.every(count => count >= accepted) : arrived.every(count => count === accepted)
  if (!holds) throw new Error(`${name}: ${accepted} events were accepted, and ${arrived.join(', ')} arrived`)
  await sleep(100)
}

function rateOf ({ requests, seconds }: EventsTaken): number {
  return requests / seconds
}

function eventsOf ({ bodies, events }: Variant): number {
  return Math.max(1, bodies) * events
}

function report (measured: ReadonlyMap<Variant, Measured>): void {
  console.table(Object.fromEntries([...measured].flatMap(([variant, { gateway, bare }]) => (['gateway', 'bare Fastify'] as const).map(name => {
    const runs = name === 'gateway' ? gateway : bare
    const rate = median(runs.map(rateOf))
    return [`${variant.name}: ${name}`, {
      'events/s': Math.round(rate * eventsOf(variant)),
      'requests/s': Math.round(rate),
      p50: ms(median(runs.map(({ p50 }) => p50))),
      p99: ms(median(runs.map(({ p99 }) => p99))),
      'µs of a core per event': Math.round(median(runs.map(({ cpu, accepted }) => cpu * 1000 / accepted))),
      'sent late, p99': variant.rate === 0 ? '' : ms(median(runs.map(({ late }) => late))),
      'ratio to bare Fastify': name === 'gateway' && variant.rate === 0 ? median(gateway.map((run, i) => rateOf(run) / rateOf(bare[i]!))).toFixed(3) : ''
    }]
  }))))
}

function promise (measured: ReadonlyMap<Variant, Measured>, memory: readonly number[]): void {
  const of = (variant: Variant, what: (run: EventsTaken) => number): number => median(measured.get(variant)!.gateway.map(what))
  const [first, , last] = thirds(memory)
  const batches = of(inBatches, rateOf) * eventsOf(inBatches)
  const singles = of(saturating, rateOf)
  const p99 = of(paced, ({ p99 }) => p99)
  const promises: Array<[promise: string, value: string, holds: boolean]> = [
    ['events/s in batches ≥ 8000', batches.toFixed(0), batches >= 8_000],
    ['requests/s of single events ≥ 2500', singles.toFixed(0), singles >= 2_500],
    [`p99 at ${pacedRate} single events/s ≤ 60 ms`, ms(p99), p99 <= 60],
    [`memory of the last third ≤ ${promisedGrowth} × of the first`, `${first.toFixed(0)} MiB, then ${last.toFixed(0)} MiB`, last <= first * promisedGrowth]
  ]
  for (const [promise, value, holds] of promises) console.log(`${holds ? 'holds         ' : 'DOES NOT HOLD '} ${promise}: ${value}`)
}

function ms (value: number): string {
  return `${value.toFixed(2)} ms`
}
