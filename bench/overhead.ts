/**
 * How much time does the gateway add to a call of a recommender, when it has no cached answer?
 *   node dist/bench/overhead.js [--rate 200] [--seconds 20]
 * A local HTTP recommender is called directly, through a bare Fastify route that passes its answer on, and through the gateway, in
 * turn, at a steady rate, with a new user in every request. Each server runs in its own process.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { fastify } from 'fastify'
import { Agent } from 'undici'
import { packagedFile } from '../src/settings.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rate: { type: 'string', default: '200' }, seconds: { type: 'string', default: '20' } }
})
const originPort = 18081
const gatewayPort = 18082
const barePort = 18083

if (positionals[0] === 'origin') {
  const itemList = Array.from({ length: 25 }, (_, i) => ({ itemId: `item-${i}`, score: 1 - i / 25 }))
  createServer((_request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ itemList }))
  }).listen(originPort, '127.0.0.1')
} else if (positionals[0] === 'bare') {
  const agent = new Agent()
  await fastify().get('/:user', async (request, reply) => {
    const { body } = await agent.request({ origin: `http://127.0.0.1:${originPort}`, path: request.url, method: 'GET' })
    return reply.type('application/json').send(await body.text())
  }).listen({ port: barePort, host: '127.0.0.1' })
} else {
  await main(Number(values.rate), Number(values.seconds))
}

async function main (rate: number, seconds: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-overhead-'))
  const config = {
    namespaces: { bench: { recommenders: { 'recommend-items': { remote: { variations: { http: { type: 'http', url: `http://127.0.0.1:${originPort}/{userId}?n={numResults}` } } } } } } }
  }
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
  const children = [
    start(packagedFile('dist/bench/overhead.js'), ['origin'], {}),
    start(packagedFile('dist/bench/overhead.js'), ['bare'], {}),
    start(packagedFile('dist/src/server.js'), [], { CONFIG_FILE: join(folder, 'config.json'), DATA_DIR: folder, PORT: String(gatewayPort), HOST: '127.0.0.1', LOG_LEVEL: 'warn' })
  ]
  const agent = new Agent({ connections: 64 })
  try {
    const direct = `http://127.0.0.1:${originPort}`
    const bare = `http://127.0.0.1:${barePort}`
    const gateway = `http://127.0.0.1:${gatewayPort}`
    await answering(agent, `${direct}/ready`)
    await answering(agent, `${bare}/ready`)
    await answering(agent, `${gateway}/health/ready`)
    const paths = { direct: (user: string) => `${direct}/${user}?n=25`, bare: (user: string) => `${bare}/${user}?n=25`, gateway: (user: string) => `${gateway}/recommend-items/bench/remote/${user}` }
    // Warms up, so that all code is compiled before the measurements.
    await load(agent, paths, 10_000, 0.6)
    const durations = await load(agent, paths, rate, seconds)
    report(durations, rate)
  } finally {
    await agent.destroy()
    for (const child of children) child.kill('SIGKILL')
    await Promise.all(children.map(async child => child.exitCode ?? once(child, 'exit')))
    rmSync(folder, { recursive: true })
  }
}

type Paths = Record<'direct' | 'bare' | 'gateway', (user: string) => string>

/** Sends requests at a steady rate, whether answers come or not, one to each server in turn. @returns how long they took, in ms */
async function load (agent: Agent, paths: Paths, rate: number, seconds: number): Promise<Record<keyof Paths, number[]>> {
  const durations = { direct: [] as number[], bare: [] as number[], gateway: [] as number[] }
  const pending = new Set<Promise<void>>()
  const started = performance.now()
  for (let i = 0; i < Math.round(rate * seconds); i++) {
    const due = started + i * 1000 / rate
    while (performance.now() < due) await sleep(Math.max(0, due - performance.now() - 0.5))
    for (const name of ['direct', 'bare', 'gateway'] as const) {
      const request = ask(agent, paths[name](`user-${seconds}-${i}`)).then(ms => { durations[name].push(ms) })
      pending.add(request)
      void request.finally(() => pending.delete(request))
      // In turn, not at once: the servers share two cores with the client.
      await request
    }
  }
  await Promise.all(pending)
  return durations
}

async function ask (agent: Agent, url: string): Promise<number> {
  const { origin, pathname, search } = new URL(url)
  const started = performance.now()
  const { statusCode, body } = await agent.request({ origin, path: pathname + search, method: 'GET' })
  await body.dump()
  if (statusCode !== 200) throw new Error(`${url} answered ${statusCode}`)
  return performance.now() - started
}

async function answering (agent: Agent, url: string): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (await ask(agent, url).then(() => true, () => false)) return
    await sleep(50)
  }
  throw new Error(`${url} does not answer`)
}

function start (file: string, args: string[], environment: Record<string, string>): ChildProcess {
  return spawn(process.execPath, [file, ...args], { env: { PATH: process.env['PATH'], ...environment }, stdio: ['ignore', 'ignore', 'inherit'] })
}

function report (durations: Record<keyof Paths, number[]>, rate: number): void {
  const at = (name: keyof Paths, share: number): number => durations[name].toSorted((a, b) => a - b)[Math.floor(durations[name].length * share)]!
  const ms = (value: number): string => `${value.toFixed(3)} ms`
  const rows = [['p50', 0.5], ['p90', 0.9], ['p99', 0.99]] as const
  console.table(Object.fromEntries(rows.map(([name, share]) => {
    const direct = at('direct', share)
    const bare = at('bare', share) - direct
    const added = at('gateway', share) - direct
    return [name, { direct: ms(direct), 'added by a bare route': ms(bare), 'added by the gateway': ms(added), ratio: (added / bare).toFixed(2) }]
  })))
  console.log(`${durations.gateway.length} calls each, ${rate} a second each`)
}
