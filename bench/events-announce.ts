/**
 * How many events do 1, 2, 4 and 8 instances on one Redis accept, if each event waits for the confirmations of all instances?
 *   node dist/bench/events-announce.js [--instances 1,2,4,8] [--seconds 2] [--clients 8] [--rate 200]
 * Events of 10,000 users go to an embedded target. In a closed loop, each instance has a fixed number of clients. In a second load, all
 * instances together get a fixed rate of events, so that queues do not make up the latency. The reference is one instance without Redis,
 * measured just before each number of instances. All processes share all cores. It takes about a minute.
 */
import { parseArgs } from 'node:util'
import { countMessages, idleCpu, send, startGateway, startRedis, type Gateway, type Loaded, type Messages } from './events-announce-run.ts'
import { openProcesses, type Processes } from './hits-processes.ts'

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

async function main (processes: Processes): Promise<void> {
  const reference = await startGateway(processes)
  await send(processes, [reference], { connections: clients, seconds: briefly, rate: 0 })
  const rows: object[] = []
  for (const instances of values.instances.split(',').map(Number)) rows.push(...await measure(processes, reference, instances))
  console.log(`${clients} clients for each instance; ${rate} events/s to all instances together`)
  console.table(rows)
}

async function measure (processes: Processes, reference: Gateway, instances: number): Promise<object[]> {
  const alone = await send(processes, [reference], { connections: clients, seconds: briefly, rate: 0 })
  const aloneCalm = await send(processes, [reference], { connections: clients, seconds: briefly, rate })
  const redis = await startRedis(processes)
  const gateways = await Promise.all(Array.from({ length: instances }, async () => startGateway(processes, redis)))
  const connections = clients * instances
  // Warms up: after this, the code is compiled.
  await send(processes, gateways, { connections, seconds: briefly, rate: 0 })
  const full = await send(processes, gateways, { connections, seconds, rate: 0 }, redis)
  const calm = await send(processes, gateways, { connections, seconds: briefly, rate }, redis)
  const count = async (rate: number): Promise<Messages> => countMessages(redis, instances, async () => send(processes, gateways, { connections, seconds: briefly / 2, rate }))
  const [messages, messagesCalm] = [await count(0), await count(rate)]
  const idle = await idleCpu(gateways, redis, 2 * briefly)
  await Promise.all([...gateways, redis].map(async ({ child }) => processes.stop(child)))
  return [
    { instances: '1 without Redis', ...figures(alone, aloneCalm), ratio: 1 },
    {
      instances,
      ...figures(full, calm),
      ratio: Number((rateOf(full) / rateOf(alone)).toFixed(3)),
      'Redis, µs/event': Math.round(full.redisCpu),
      'published/event': Number(messages.published.toFixed(2)),
      'delivered/event': Number(messages.delivered.toFixed(2)),
      'published/event at rate': Number(messagesCalm.published.toFixed(2)),
      'delivered/event at rate': Number(messagesCalm.delivered.toFixed(2)),
      'idle gateways, ms/s': Math.round(idle.gateways),
      'idle Redis, ms/s': Math.round(idle.redis)
    }
  ]
}

function figures (full: Loaded, calm: Loaded): Record<string, number> {
  return {
    'events/s': Math.round(rateOf(full)),
    'p50, ms': Number(full.p50.toFixed(1)),
    'p99, ms': Number(full.p99.toFixed(1)),
    'p50 at rate, ms': Number(calm.p50.toFixed(1)),
    'p99 at rate, ms': Number(calm.p99.toFixed(1)),
    'gateways, µs/event': Math.round(full.gatewayCpu)
  }
}

function rateOf ({ requests, seconds }: Loaded): number {
  return requests / seconds
}
