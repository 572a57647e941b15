/**
 * What does authentication cost a cache hit?
 *   node dist/bench/authentication.js [--rounds 7] [--seconds 3] [--connections 64]
 * One gateway for each scheme answers the same list from its memory: with `none`, to a key, to one token that is remembered, to a thousand
 * tokens by turns, and to a token while keys are on as well. `wrk` loads them one after the other, in another order in each
 * round. Then the parts are timed by themselves. It takes two minutes. If there are two cores, servers run on one and clients on the other.
 * Promised: hits with a key at 0.85 × of the rate with `none`, with a token at 0.75 ×.
 */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createKey, createKeyRing } from '../src/security/api-keys.ts'
import { packagedFile } from '../src/settings.ts'
import { freePort } from './free-port.ts'
import { createTokens } from './authentication-tokens.ts'
import { answering, installed, median, openProcesses, plainly } from './hits-processes.ts'

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '7' }, seconds: { type: 'string', default: '3' }, connections: { type: 'string', default: '64' } } })
const rounds = Number(values.rounds)
const path = '/recommend-items/shop/home/user-1'
const promised = { 'API key': 0.85, 'JWT, one': 0.75, 'JWT, a thousand by turns': 0.75 } as const

/** A gateway, with the headers that its requests have. */
interface Contender {
  name: string
  port: number
  headers: string[]
}

if (!installed('wrk')) {
  console.error('this benchmark needs wrk: apt-get install wrk')
  process.exit(1)
}
const processes = openProcesses('authentication')
const tokens = createTokens()
const issuer = createServer((_request, response) => response.end(tokens.jwks)).listen(0, '127.0.0.1')
await once(issuer, 'listening')
try {
  await main()
} finally {
  issuer.close()
  issuer.closeAllConnections()
  await processes.close()
}

async function main (): Promise<void> {
  const { key, record } = createKey({ scopes: ['read'] })
  const url = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`
  const one = [`X-Api-Key: ${key}`]
  const many = tokens.make(url, 1000).map(token => `Authorization: Bearer ${token}`)
  const jwt = { JWT_ISSUER: url, JWT_AUDIENCE: 'bench' }
  const keys = { API_KEYS: JSON.stringify(record) }
  const none = await startGateway('none', {}, [])
  const contenders = [
    none,
    await startGateway('API key', { AUTH_SCHEME: 'api-key', ...keys }, one),
    await startGateway('JWT, one', { AUTH_SCHEME: 'jwt', ...jwt }, many.slice(0, 1)),
    await startGateway('JWT, a thousand by turns', { AUTH_SCHEME: 'jwt', ...jwt }, many),
    await startGateway('both on, JWT', { AUTH_SCHEME: 'api-key,jwt', ...keys, ...jwt }, many.slice(0, 1))
  ]
  for (const contender of contenders) await rateOf(contender, 2)
  const rates = new Map<Contender, number[]>(contenders.map(contender => [contender, []]))
  for (let i = 0; i < rounds; i++) {
    for (const contender of contenders.toSorted(() => Math.random() - 0.5)) rates.get(contender)!.push(await rateOf(contender, Number(values.seconds)))
  }
  // The median of the ratios of the rounds: a slow moment of the machine slows down all servers of a round.
  const ratioOf = (contender: Contender): number => median(rates.get(contender)!.map((rate, i) => rate / rates.get(none)![i]!))
  console.table(Object.fromEntries(contenders.map(contender => [contender.name, {
    'hits/s': Math.round(median(rates.get(contender)!)),
    'ratio to none': ratioOf(contender).toFixed(3),
    'µs a hit more': (1e6 / median(rates.get(contender)!) - 1e6 / median(rates.get(none)!)).toFixed(2)
  }])))
  console.table({
    'find a key': { µs: timed(keyFinder(key, record), 200_000) },
    'verify a token that is not remembered': { µs: timed(() => { tokens.verify() }, 5_000) }
  })
  for (const [name, least] of Object.entries(promised)) {
    const ratio = ratioOf(contenders.find(contender => contender.name === name)!)
    console.log(`${ratio >= least ? 'holds         ' : 'DOES NOT HOLD '} ${name}: hits ≥ ${least} × none: ${ratio.toFixed(3)}`)
  }
}

async function startGateway (name: string, settings: Record<string, string>, headers: string[]): Promise<Contender> {
  const port = await freePort()
  const config = {
    cacheControl: { userSpecified: { maxAge: 10, directives: 'private' }, server: { ttl: 600 } },
    namespaces: { shop: { recommenders: { 'recommend-items': { home: { variations: { house: { type: 'embedded' } } } } }, eventTargets: [{ type: 'embedded' }] } }
  }
  const file = join(processes.folder, `config-${port}.json`)
  writeFileSync(file, JSON.stringify(config))
  const env = { CONFIG_FILE: file, DATA_DIR: join(processes.folder, String(port)), PORT: String(port), HOST: '127.0.0.1', LOG_LEVEL: 'error', ACCESS_LOG: 'errors', ...settings }
  const child = processes.start(process.execPath, [packagedFile('dist/src/server.js')], { on: 'server', env })
  await answering(`http://127.0.0.1:${port}/health/ready`, child)
  const [name0, value] = headers[0]?.split(': ') as [string, string] ?? []
  const { status } = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { ...plainly.headers, ...(name0 === undefined ? {} : { [name0]: value }) } })
  if (status !== 200) throw new Error(`${name} answered ${status}`)
  return { name, port, headers }
}

/** @returns hits per second @throws where not every answer was a good one */
async function rateOf ({ port, headers }: Contender, duration: number): Promise<number> {
  const script = join(processes.folder, `requests-${port}.lua`)
  writeFileSync(script, `
local requests = {}
local i = 0
function init (args)
${(headers.length === 0 ? [''] : headers).map(line => {
    const [name, value] = line.split(': ')
    return `  requests[#requests + 1] = wrk.format("GET", "${path}", {["Host"] = "127.0.0.1"${value === undefined ? '' : `, ["${name!}"] = "${value}"`}})`
  }).join('\n')}
end
function request ()
  i = i % #requests + 1
  return requests[i]
end
`)
  const args = ['-t1', `-c${values.connections}`, `-d${duration}s`, '-s', script, `http://127.0.0.1:${port}${path}`]
  const output = await processes.run('wrk', args, { on: 'client' })
  const trouble = /^.*(Socket errors|Non-2xx).*$/m.exec(output)
  if (trouble !== null) throw new Error(`wrk ${port}: ${trouble[0].trim()}`)
  return Number(/^Requests\/sec:\s+([\d.]+)$/m.exec(output)![1])
}

function keyFinder (key: string, record: Parameters<ReturnType<typeof createKeyRing>['replace']>[0][number]): () => void {
  const ring = createKeyRing()
  ring.replace([record])
  return () => { ring.find(key) }
}

function timed (action: () => void, times: number): string {
  for (let i = 0; i < times / 10; i++) action()
  const begun = performance.now()
  for (let i = 0; i < times; i++) action()
  return ((performance.now() - begun) * 1000 / times).toFixed(2)
}
