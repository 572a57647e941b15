/**
 * Does a client hear the end of its connection when the worker behind it is killed?
 *   node dist/bench/workers-kill.js [--kills 200] [--rate 500]
 * Two workers serve reads and events, half of them over connections of their own, half over kept ones. Again and again, when both
 * serve, one is killed with SIGKILL. Every request must end within two seconds: by an answer or by the end of its connection. It
 * exits with 1 if one does not.
 */
import { writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { serverFile } from './events-servers.ts'
import { freePort } from './free-port.ts'
import { answering, openProcesses, quantile, textOf } from './hits-processes.ts'

export interface KillOptions {
  kills: number
  /** Requests per second. */
  rate: number
}

export interface KillReport {
  requests: number
  /** How many requests ended how: by a status, or by the code of an error. */
  ends: Record<string, number>
  /** From the request to its end, in ms. */
  wait: { p50: number, p99: number, max: number }
  /** The same before the first kill: a machine that is busy makes requests wait, too. */
  calm: { p50: number, p99: number, max: number }
  /** Requests that took longer than `bound`. */
  tooLong: number
  /** Requests of these that had not ended `patience` after the last was sent. */
  unended: number
  /** What the log says of each worker that was lost, as it was written. */
  lost: string[]
  seconds: number
}

/** No request may wait for its end longer than this, in ms. */
export const bound = 2_000

/** So long the requests that are left may take to end, in ms. */
const patience = 15_000

/** The load runs for so long before the first kill, in ms. */
const calmFor = 5_000

/** After both workers serve, one is killed within so long, in ms. */
const killWithin = 250

/** A worker that is killed must be replaced within so long, in ms. */
const replacedWithin = 60_000

const config = {
  cacheControl: { server: { ttl: 300 } },
  namespaces: {
    shop: {
      recommenders: { 'recommend-items': { home: { variations: { house: { type: 'embedded' } } } } },
      eventTargets: [{ type: 'embedded' }]
    }
  }
}

if (process.argv[1] === import.meta.filename) {
  const { values: { kills, rate } } = parseArgs({ options: { kills: { type: 'string', default: '200' }, rate: { type: 'string', default: '500' } } })
  const { lost, ...report } = await killWorkers({ kills: Number(kills), rate: Number(rate) })
  console.table({ 'without kills': report.calm, 'with kills': report.wait })
  console.log(`${kills} kills in ${report.seconds.toFixed(0)} s, ${lost.length} in the log; requests ended by ${JSON.stringify(report.ends)}`)
  const holds = report.tooLong === 0
  console.log(`${holds ? 'holds         ' : 'DOES NOT HOLD '} every request ends within ${bound} ms: ${report.tooLong} of ${report.requests} did not, ${report.unended} of them not at all`)
  process.exitCode = holds ? 0 : 1
}

/** Kills workers under load. Resolves with how the requests ended. */
export async function killWorkers ({ kills, rate }: KillOptions): Promise<KillReport> {
  const processes = openProcesses('workers-kill')
  try {
    const port = await freePort()
    const file = join(processes.folder, 'config.json')
    writeFileSync(file, JSON.stringify(config))
    const env = { CONFIG_FILE: file, DATA_DIR: processes.folder, PORT: String(port), HOST: '127.0.0.1', WORKERS: '2', LOG_LEVEL: 'info', ACCESS_LOG: 'errors' }
    const server = processes.start(process.execPath, [serverFile], { env, output: 'pipe' })
    const output = textOf(server.stdout!)
    await answering(`http://127.0.0.1:${port}/health/ready`, server)
    const before = startLoad(port, rate)
    await sleep(calmFor)
    const { wait: calm } = await before.stop()
    const started = performance.now()
    const load = startLoad(port, rate)
    const killed = new Set<number>()
    for (let i = 0; i < kills; i++) {
      const workers = await untilBothServe(output, killed)
      await sleep(Math.random() * killWithin)
      const worker = workers[i % workers.length]!
      process.kill(worker, 'SIGKILL')
      killed.add(worker)
    }
    await untilBothServe(output, killed)
    const report = await load.stop()
    return { ...report, calm, lost: output().split('\n').filter(line => line.includes('a worker is lost')), seconds: (performance.now() - started) / 1000 }
  } finally {
    await processes.close()
  }
}

/** Resolves with the process ids of two workers that listen. */
async function untilBothServe (output: () => string, killed: ReadonlySet<number>): Promise<number[]> {
  const end = performance.now() + replacedWithin
  while (performance.now() < end) {
    const lines = output().split('\n').slice(0, -1).filter(line => line.includes('Server listening'))
    const workers = lines.map(line => (JSON.parse(line) as { pid: number }).pid).filter(pid => !killed.has(pid))
    if (workers.length === 2) return workers
    await sleep(20)
  }
  throw new Error('a worker was not replaced')
}

/** Sends requests at a steady rate until it is stopped. */
function startLoad (port: number, rate: number): { stop: () => Promise<Omit<KillReport, 'calm' | 'lost' | 'seconds'>> } {
  const agents = [new Agent({ keepAlive: true }), new Agent()]
  const ends: Record<string, number> = {}
  const waits: number[] = []
  const pending = new Set<object>()
  const started = performance.now()
  let sent = 0

  function send (): void {
    const [agent, user] = [agents[sent % agents.length], `user-${sent % 1000}`]
    const begun = performance.now()
    const target = sent++ % 10 === 0
      ? { method: 'POST', path: '/events/shop', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ userId: user, sessionId: user, eventList: [{ eventType: 'click', itemId: `item-${sent % 50}` }] }) }
      : { method: 'GET', path: `/recommend-items/shop/home/${user}`, body: '' }
    let how = ''
    const asked = request({ agent, port, host: '127.0.0.1', ...target }, response => {
      how = String(response.statusCode)
      response.on('error', error => { how = codeOf(error) }).on('close', end).resume()
    })
    const end = (): void => {
      if (!pending.delete(asked)) return
      waits.push(performance.now() - begun)
      ends[how] = (ends[how] ?? 0) + 1
    }
    pending.add(asked)
    asked.on('error', error => {
      how = codeOf(error)
      end()
    }).end(target.body)
  }

  const timer = setInterval(() => { while (sent < (performance.now() - started) * rate / 1000) send() }, 2)
  return {
    async stop () {
      clearInterval(timer)
      const end = performance.now() + patience
      while (pending.size > 0 && performance.now() < end) await sleep(20)
      const unended = pending.size
      for (const agent of agents) agent.destroy()
      const wait = { p50: quantile(waits, 0.5), p99: quantile(waits, 0.99), max: quantile(waits, 1) }
      return { requests: sent, ends, wait, tooLong: unended + waits.filter(wait => wait > bound).length, unended }
    }
  }
}

function codeOf (error: NodeJS.ErrnoException): string {
  return error.code ?? error.message
}
