/**
 * What do requests and the breaker make of a provider that resets kept connections, and of one that fails now and then?
 *   node dist/bench/providers.js [--rounds 50] [--seconds 30] [--rate 500]
 * Gateway and provider run in this process; requests come without the network.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { buildApp } from '../src/app.ts'
import { fileSource } from '../src/config/file-source.ts'
import { freePort } from './free-port.ts'
import { startResettingServer } from './resetting-server.ts'

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '50' }, seconds: { type: 'string', default: '30' }, rate: { type: 'string', default: '500' } } })
const together = 16
const rate = Number(values.rate)

type Variation = (url: string) => object

/** The variations that meet resets; SDK clients find the provider by the environment. */
const resetVariations: Record<string, Variation> = {
  'http GET': url => ({ type: 'http', url: `${url}/{userId}` }),
  'http POST': url => ({ type: 'http', url, method: 'POST' }),
  sagemaker: () => ({ type: 'sagemaker', endpointName: 'e' }),
  lambda: () => ({ type: 'lambda', arn: 'arn:aws:lambda:us-east-1:123456789012:function:f' })
}

console.table(Object.fromEntries(await inTurn(Object.entries(resetVariations), async ([name, variation]) => [name, await resets(variation, Number(values.rounds))])))
console.table({
  'healthy for 5 s, then all fail': await failures([[5, 0], [4, 1]]),
  [`one in ten fails for ${values.seconds} s`]: await failures([[Number(values.seconds), 0.1]])
})

async function inTurn<T, R> (list: T[], work: (each: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (const each of list) results.push(await work(each))
  return results
}

/** Calls on kept connections, each round reset together under as many concurrent requests. */
async function resets (variation: Variation, rounds: number): Promise<object> {
  const server = await startResettingServer(together)
  Object.assign(process.env, { AWS_ENDPOINT_URL: server.url, AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' })
  return withGateway(variation(server.url), server.close, async ask => {
    const outcomes = new Map<string, number>()
    for (let round = 0; round < rounds; round++) {
      for (const reset of [false, true]) {
        if (reset) server.resetNext()
        const answers = await Promise.all(Array.from({ length: together }, async (_, i) => ask(`${round}-${i}`)))
        if (reset) for (const answer of answers) outcomes.set(answer, (outcomes.get(answer) ?? 0) + 1)
        for (let turn = 0; turn < 3; turn++) await nextTurn()
      }
    }
    return { resets: server.resets(), ...Object.fromEntries(outcomes) }
  })
}

/** Requests at a steady rate; each phase lasts for some seconds, in which a share of the calls fails at random. */
async function failures (phases: Array<[seconds: number, share: number]>): Promise<object> {
  const port = await freePort()
  let share = 0
  const server = createServer((_request, response) => {
    response.writeHead(Math.random() < share ? 500 : 200, { 'content-type': 'application/json' }).end('{"itemList":[{"itemId":"a"}]}')
  }).listen(port, '127.0.0.1')
  const close = async (): Promise<void> => {
    server.closeAllConnections()
    server.close()
  }
  return withGateway({ type: 'http', url: `http://127.0.0.1:${port}/{userId}` }, close, async ask => {
    const outcomes = new Map<string, number>()
    let opened: number | undefined
    const pending: Array<Promise<void>> = []
    for (const [seconds, failing] of phases) {
      share = failing
      const started = performance.now()
      for (let i = 0; i < seconds * rate; i++) {
        while (performance.now() < started + i * 1000 / rate) await sleep(1)
        pending.push(ask(`${failing}-${i}`).then(answer => {
          outcomes.set(answer, (outcomes.get(answer) ?? 0) + 1)
          if (answer === 'CircuitOpen') opened ??= performance.now() - started
        }))
      }
    }
    await Promise.all(pending)
    return { ...Object.fromEntries(outcomes), 'opened after': opened === undefined ? 'never' : `${Math.round(opened)} ms` }
  })
}

async function withGateway (variation: object, closeProvider: () => Promise<void>, work: (ask: (user: string) => Promise<string>) => Promise<object>): Promise<object> {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-providers-'))
  const config = { namespaces: { bench: { recommenders: { 'recommend-items': { r: { variations: { v: variation }, resilience: { timeout: 10_000 } } } } } } }
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
  const app: FastifyInstance = await buildApp({ source: fileSource(join(folder, 'config.json'), 1000), dataDir: folder, logger: pino({ level: 'silent' }) })
  try {
    await app.ready()
    await app.config.loaded
    return await work(async user => {
      const { statusCode, body } = await app.inject({ url: `/recommend-items/bench/r/user-${user}` })
      return statusCode === 200 ? 'answered' : (JSON.parse(body) as { code: string }).code
    })
  } finally {
    await app.close()
    await closeProvider()
    rmSync(folder, { recursive: true })
  }
}
