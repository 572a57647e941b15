/**
 * Does the cache hold while processes are paused, listeners are cut and Redis is restarted?
 *   node dist/bench/cache-storm.js [--reads 20000] [--events 4000] [--users 1000] [--seeds 1,2,3]
 * Three gateways share one Redis. The reference is the same run without disturbance. No list may be older than its user's last
 * acknowledged event, no request may fail, and the provider may be called at most 1.3 times as often as in the reference.
 */
import { parseArgs } from 'node:util'
import { storm, type StormOptions } from './cache-storm-run.ts'

const { values } = parseArgs({
  options: {
    reads: { type: 'string', default: '20000' },
    events: { type: 'string', default: '4000' },
    users: { type: 'string', default: '1000' },
    seeds: { type: 'string', default: '1,2,3' }
  }
})

const most = 1.3
const rows: object[] = []
let holds = true
for (const seed of values.seeds.split(',').map(Number)) {
  const options: StormOptions = { reads: Number(values.reads), events: Number(values.events), users: Number(values.users), clients: 40, seed, disturbed: false, restarts: [] }
  const calm = await storm(options)
  const wild = await storm({ ...options, disturbed: true, restarts: ['with its data', 'without its data', 'with its data'] })
  const ratio = wild.calls / calm.calls
  holds &&= ratio <= most && [calm, wild].every(({ failed, violations }) => failed.length === 0 && violations.length === 0)
  for (const [name, { calls, seconds, failed, violations, pauses, cuts, hits }] of [['calm', calm], ['disturbed', wild]] as const) {
    rows.push({ seed, run: name, calls, ratio: name === 'calm' ? 1 : Number(ratio.toFixed(3)), 'failed requests': failed.length, 'old lists': violations.length, pauses, cuts, seconds: Math.round(seconds) })
    console.log(seed, name, JSON.stringify(hits))
    for (const line of [...violations.slice(0, 5), ...failed.slice(0, 5)]) console.log(`  ${line}`)
  }
}
console.table(rows)
console.log(holds ? `holds: no old list, no failed request, at most ${most} times the calls` : 'DOES NOT HOLD')
process.exitCode = holds ? 0 : 1
