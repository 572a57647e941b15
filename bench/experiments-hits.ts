/**
 * What do experiments cost a cache hit? Two gateways answer the same lists from memory, one of them under a running experiment whose
 * exposures are counted, and recorded by a webhook. `wrk` loads them in turn with requests for the lists of many users.
 *   node dist/bench/experiments-hits.js [--rounds 7] [--seconds 3] [--users 1000]
 * Promised: hits under an experiment at 0.85 × of the rate of those without.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startTestedGateway } from './experiments-gateway.ts'
import { installed, median, openProcesses, plainly } from './hits-processes.ts'
import { startOrigin } from './hits-servers.ts'

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '7' }, seconds: { type: 'string', default: '3' }, users: { type: 'string', default: '1000' } } })
const rounds = Number(values.rounds)
const users = Array.from({ length: Number(values.users) }, (_, i) => `user-${i}`)
const promised = 0.85

const experiments = {
  none: {},
  'weighted, recorded': { test: { method: 'weighted', weights: { a: 1, b: 1 }, metrics: { ctr: { event: 'click' } } } },
  'weighted, ends in an hour': { test: { method: 'weighted', weights: { a: 1, b: 1 }, endsAt: new Date(Date.now() + 3_600_000).toISOString() } },
  interleave: { test: { method: 'interleave', variations: ['a', 'b'] } }
}

if (!installed('wrk')) {
  console.error('this benchmark needs wrk: apt-get install wrk')
  process.exit(1)
}
const processes = openProcesses('experiments')
const origin = await startOrigin()
try {
  await main()
} finally {
  origin.close()
  await processes.close()
}

async function startGateway (name: string, tests: object): Promise<number> {
  const { port } = await startTestedGateway(processes, name, {
    originPort: origin.port,
    experiments: tests,
    eventTargets: [{ type: 'http', url: `http://127.0.0.1:${origin.port}/records` }],
    more: { cacheControl: { userSpecified: { maxAge: 10, directives: 'private' }, server: { ttl: 3000 } } },
    on: 'server'
  })
  return port
}

async function main (): Promise<void> {
  const script = join(processes.folder, 'users.lua')
  writeFileSync(script, `
local users = {${users.map(user => `"${user}"`).join()}}
local requests = {}
local i = 0
function init (args)
  for k, user in ipairs(users) do requests[k] = wrk.format("GET", "/recommend-items/bench/home/" .. user) end
end
function request ()
  i = i % #requests + 1
  return requests[i]
end
`)
  const ports = new Map<string, number>()
  for (const [name, tests] of Object.entries(experiments)) ports.set(name, await startGateway(name, tests))
  const load = async (port: number, seconds: number): Promise<number> => {
    const output = await processes.run('wrk', ['-t1', '-c64', `-d${seconds}s`, '-s', script, `http://127.0.0.1:${port}`], { on: 'client' })
    return Number(/Requests\/sec:\s+([\d.]+)/.exec(output)![1])
  }
  for (const port of ports.values()) {
    for (const user of users) await (await fetch(`http://127.0.0.1:${port}/recommend-items/bench/home/${user}`, plainly)).arrayBuffer()
    await load(port, 3)
  }
  const rates = new Map([...ports.keys()].map(name => [name, [] as number[]]))
  for (let round = 0; round < rounds; round++) {
    const order = [...ports].sort(() => Math.random() - 0.5)
    for (const [name, port] of order) rates.get(name)!.push(await load(port, Number(values.seconds)))
  }
  const reference = rates.get('none')!
  const ratio = (name: string): number => median(rates.get(name)!.map((rate, i) => rate / reference[i]!))
  console.table(Object.fromEntries([...rates].map(([name, measured]) => [name, { 'requests/s': Math.round(median(measured)), 'ratio to none': ratio(name).toFixed(2) }])))
  console.log(`${ratio('weighted, recorded') >= promised ? 'holds' : 'DOES NOT HOLD'}: hits under an experiment ≥ ${promised} × hits without: ${ratio('weighted, recorded').toFixed(2)}`)
}
