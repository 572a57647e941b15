/**
 * Does each event arrive at each target exactly once, or is its sender told that it did not?
 *   node dist/bench/events-stress.js [--events 200000] [--users 2000] [--clients 32] [--seed 1] [--throttle 0.3] [--kinesalite] [--end]
 * Personalize, Kinesis and Firehose refuse a share of calls and records at random, and all those of some users. The benchmark compares the
 * reported outcomes with the arrived events, and checks their order. With --kinesalite, Kinesis is kinesalite behind the same refusals, and
 * its records are read at the end. With --end, the gateway has to end when half of the events are answered. A violation is a failure.
 */
import { parseArgs } from 'node:util'
import { stress } from './events-stress-run.ts'

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '200000' },
    users: { type: 'string', default: '2000' },
    clients: { type: 'string', default: '32' },
    seed: { type: 'string', default: '1' },
    throttle: { type: 'string', default: '0.3' },
    kinesalite: { type: 'boolean', default: false },
    end: { type: 'boolean', default: false }
  }
})

const { sent, seconds, throttled, targets, end, violations } = await stress({
  events: Number(values.events),
  users: Number(values.users),
  clients: Number(values.clients),
  seed: Number(values.seed),
  throttleShare: Number(values.throttle),
  refusedOneIn: 500,
  kinesalite: values.kinesalite,
  endHalfway: values.end
})
console.log(`${sent.events} events in ${sent.requests} requests, ${Math.round(sent.events / seconds)} events/s for ${seconds.toFixed(1)} s; ${throttled} records and calls were refused`)
console.log(`answers: ${JSON.stringify(sent.statuses)}, cut: ${JSON.stringify(sent.cut)}`)
console.table(targets)
if (end !== undefined) console.log(`ended with ${end.code} after ${end.ms} ms`)
const holds = violations === 0 && (end === undefined || (end.code === 0 && end.ms <= 10_000))
console.log(`${holds ? 'holds         ' : 'DOES NOT HOLD '} each event is at each target exactly once, or was reported not to be: ${violations} violations`)
process.exitCode = holds ? 0 : 1
