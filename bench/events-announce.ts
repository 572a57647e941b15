/**
 * How many events do 1, 2, 4 and 8 instances on one Redis accept, if each event waits for the confirmations of all instances?
 *   node dist/bench/events-announce.js [--instances 1,2,4,8] [--seconds 2] [--clients 8] [--rate 200]
 * Events of 10,000 users go to an embedded target. In a closed loop, each instance has a fixed number of clients. In a second load, all
 * instances together get a fixed rate of events, so that queues do not make up the latency. The reference is one instance without Redis: the
 * median of measurements before, between and after the others. If these differ much, something else uses the machine, and the ratios say
 * little. All processes share all cores. It takes about 70 seconds.
 */
import { parseArgs } from 'node:util'
import { countMessages, idleCpu, send, startGateway, startRedis, type Gateway, type Loaded, type Messages, type RedisProcess } from './events-announce-run.ts'
import { median, openProcesses, type Processes } from './hits-processes.ts'

const { values } = parseArgs({
  options: {
    instances: { type: 'string', default: '1,2,4,8' },
    seconds: { type: 'string', default: '2' },
    clients: { type: 'string', default: '8' },
    rate: { type: 'string', default: '200' }
  }
})
const seconds = Number(values.seconds)
const clients = Number(values.clients)
const rate = Number(values.rate)

/** How long the smaller loads take, in seconds. */
const briefly = 1

const processes = openProcesses('events-announce')
try {
  await main(processes)
} finally {
  await processes.close()
}

interface Measured {
  full: Loaded
  calm: Loaded
}

async function main (processes: Processes): Promise<void> {
  const gateway = await startGateway(processes)
  await send(processes, [gateway], { connections: clients, seconds: briefly, rate: 0 })
  const references: Measured[] = []
  const measureReference = async (): Promise<void> => { references.push(await measureLoads(processes, [gateway], briefly)) }
  const rows: Array<Measured & { instances: number, messages: object }> = []
  for (const instances of values.instances.split(',').map(Number)) {
    await measureReference()
    rows.push(await measure(processes, instances))
  }
  await measureReference()
  const reference = median(references.map(({ full }) => rateOf(full)))
  console.log(`${clients} clients for each instance; ${rate} events/s to all instances together`)
  console.table([
    ...references.map(measured => ({ instances: '1 without Redis', ...figures(measured, reference) })),
    ...rows.map(({ instances, messages, ...measured }) => ({ instances, ...figures(measured, reference), ...messages }))
  ])
}

async function measure (processes: Processes, instances: number): Promise<Measured & { instances: number, messages: object }> {
  const redis = await startRedis(processes)
  const gateways = await Promise.all(Array.from({ length: instances }, async () => startGateway(processes, redis)))
  const connections = clients * instances
  // Warms up: after this, each instance has compiled its code.
  await send(processes, gateways, { connections, seconds: briefly * Math.max(1, instances / 2), rate: 0 })
  const measured = await measureLoads(processes, gateways, seconds, redis)
  const count = async (rate: number): Promise<Messages> => countMessages(redis, instances, async () => send(processes, gateways, { connections, seconds: briefly / 2, rate }))
  const [fullMessages, calmMessages] = [await count(0), await count(rate)]
  const idle = await idleCpu(gateways, redis, 2 * briefly)
  await Promise.all([...gateways, redis].map(async ({ child }) => processes.stop(child)))
  return {
    ...measured,
    instances,
    messages: {
      'Redis, µs/event': Math.round(measured.full.redisCpu),
      'published/event': rounded(fullMessages.published),
      'delivered/event': rounded(fullMessages.delivered),
      'published/event at rate': rounded(calmMessages.published),
      'delivered/event at rate': rounded(calmMessages.delivered),
      'idle gateways, ms/s': Math.round(idle.gateways),
      'idle Redis, ms/s': Math.round(idle.redis)
    }
  }
}

/** Sends events as fast as they are accepted, and then at the fixed rate. */
async function measureLoads (processes: Processes, gateways: readonly Gateway[], seconds: number, redis?: RedisProcess): Promise<Measured> {
  const connections = clients * gateways.length
  const full = await send(processes, gateways, { connections, seconds, rate: 0 }, redis)
  return { full, calm: await send(processes, gateways, { connections, seconds: briefly, rate }, redis) }
}

function figures ({ full, calm }: Measured, reference: number): Record<string, number> {
  return {
    'events/s': Math.round(rateOf(full)),
    ratio: rounded(rateOf(full) / reference),
    'p50, ms': rounded(full.p50),
    'p99, ms': rounded(full.p99),
    'p50 at rate, ms': rounded(calm.p50),
    'p99 at rate, ms': rounded(calm.p99),
    'gateways, µs/event': Math.round(full.gatewayCpu)
  }
}

function rounded (value: number): number {
  return Number(value.toFixed(2))
}

function rateOf ({ requests, seconds }: Loaded): number {
  return requests / seconds
}
