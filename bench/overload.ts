/**
 * What does the gateway do under three times the load that it can serve?
 *   node dist/bench/overload.js [--seconds 60] [--connections 300] [--times 3]
 * A mix of hits, misses, events and batches is sent over many connections: first as fast as the gateway answers (its capacity), then at three
 * times that rate, whatever it answers, then at a quarter of it. Health is asked on a connection of its own. Latencies of the second count
 * from when a request was written.
 * Promised: under three times the load, answers that are not refused have a p99 of at most 250 ms, or of 3 × the p99 at capacity; refusals
 * come within 50 ms (p99) with `Retry-After`; health never fails; memory stays flat; all requests are answered 2 s after the load has ended.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { packagedFile } from '../src/settings.ts'
import { freePort } from './free-port.ts'
import { answering, openProcesses, type Processes } from './hits-processes.ts'
import { startOrigin } from './hits-servers.ts'
import type { OverloadLoad, OverloadResult } from './overload-load.ts'

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' }, connections: { type: 'string', default: '300' }, times: { type: 'string', default: '3' } } })
const seconds = Number(values.seconds)
const connections = Number(values.connections)

const processes = openProcesses('overload')
const origin = await startOrigin()
try {
  await main(processes)
} finally {
  origin.close()
  await processes.close()
}

async function main (processes: Processes): Promise<void> {
  const port = await freePort()
  const file = join(processes.folder, 'config.json')
  writeFileSync(file, JSON.stringify({
    cacheControl: { server: { ttl: 60 } },
    namespaces: {
      bench: {
        recommenders: { 'recommend-items': { remote: { variations: { http: { type: 'http', url: `http://127.0.0.1:${origin.port}/{userId}` } } } } },
        eventTargets: [{ type: 'embedded' }]
      }
    }
  }))
  const env = { CONFIG_FILE: file, DATA_DIR: processes.folder, PORT: String(port), HOST: '127.0.0.1', LOG_LEVEL: 'info', ACCESS_LOG: 'errors' }
  const gateway = processes.start(process.execPath, [packagedFile('dist/src/server.js')], { on: 'server', env })
  await answering(`http://127.0.0.1:${port}/health/ready`, gateway)
  const rss = (): number => Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${gateway.pid}/status`, 'utf8'))![1]) / 1024)

  const load = async (what: Partial<OverloadLoad>): Promise<OverloadResult> => {
    const options: OverloadLoad = { port, seconds: 10, connections, ...what }
    return JSON.parse(await processes.run(process.execPath, [packagedFile('dist/bench/overload-load.js'), JSON.stringify(options)], { on: 'client' })) as OverloadResult
  }
  // The cache is full before memory is measured.
  await load({ seconds: 20, connections: 64 })
  const atCapacity = await load({ connections: 64 })
  const capacity = Math.round(atCapacity.accepted.count / 10)
  const rssBefore = rss()
  const rate = capacity * Number(values.times)
  console.log(`capacity: ${capacity} requests/s, p99 ${atCapacity.accepted.p99} ms; now ${rate} requests/s for ${seconds} s over ${connections} connections`)
  const under = await load({ rate, seconds })
  const rssAfter = rss()
  await sleep(2_000)
  const after = await load({ rate: Math.round(capacity / 4), seconds: 5 })
  console.table({ 'at capacity': row(atCapacity), overloaded: row(under), 'two seconds later': row(after) })
  console.log(`sent ${under.sent} of ${rate * seconds} wanted; refused by class: ${JSON.stringify(under.refusedOf)} of ${JSON.stringify(under.sentOf)}; RSS ${rssBefore} → ${rssAfter} MiB`)
  const bound = Math.max(250, 3 * atCapacity.accepted.p99)
  const promises: Array<[string, boolean]> = [
    [`p99 of accepted requests ${under.accepted.p99} ms ≤ ${bound} ms`, under.accepted.p99 <= bound],
    [`p99 of refusals ${under.refused.p99} ms ≤ 50 ms`, under.refused.p99 <= 50],
    [`refusals without Retry-After: ${under.withoutRetryAfter}`, under.withoutRetryAfter === 0],
    [`other answers: ${under.others}`, under.others === 0],
    [`health failures: ${under.healthFailures}, slowest ${under.slowestHealth} ms`, under.healthFailures === 0],
    [`RSS grows by ${rssAfter - rssBefore} MiB`, rssAfter <= rssBefore * 1.5],
    [`refused 2 s later: ${after.refused.count}`, after.refused.count === 0 && after.others === 0]
  ]
  for (const [promise, holds] of promises) console.log(`${holds ? 'holds         ' : 'DOES NOT HOLD '} ${promise}`)
}

function row ({ accepted, refused, others }: OverloadResult): object {
  return { 'accepted/s': accepted.rate, p50: accepted.p50, p99: accepted.p99, 'refused/s': refused.rate, 'refused p50': refused.p50, 'refused p99': refused.p99, others }
}
