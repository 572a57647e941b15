/**
 * How fast is the embedded recommender, and how large?
 *   node --expose-gc dist/bench/recommender.js [--events 10000000] [--items 500000] [FOLDER]
 * It is measured with the clicks of a shop (FOLDER, see bench/quality.ts; skipped if it is missing), and with a synthetic index whose
 * items are as unevenly popular as those of a real shop. Reference: Serenade publishes a p90 of 1.7 ms per query.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { defaultParameters } from '../src/origins/embedded.ts'
import { Query } from '../src/recommender/query.ts'
import { SessionIndex } from '../src/recommender/session-index.ts'

const { values: { events, items }, positionals } = parseArgs({
  allowPositionals: true,
  options: { events: { type: 'string', default: '10000000' }, items: { type: 'string', default: '500000' } }
})
const folder = positionals[0] ?? '../shared/data/session-clicks'
const queries = 20_000
const serenadeP90 = 1.7

interface Click { user: string, session: string, item: string, time: number }

function percentile (sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!
}

function measure (name: string, clicks: Iterable<Click>, total: number): Record<string, string> {
  const index = new SessionIndex(Date.now)
  const applied = new Float64Array(total)
  const users: string[] = []
  let n = 0
  for (const { user, session, item, time } of clicks) {
    const start = performance.now()
    index.apply({ userId: user, sessionId: session, itemId: item, weight: 1, time })
    applied[n++] = performance.now() - start
    if (n % 97 === 0) users.push(user)
  }
  globalThis.gc?.()
  const query = new Query(index)
  const answered = new Float64Array(queries)
  for (let i = -1000; i < queries; i++) {
    const user = users[(i + 1000) * 7919 % users.length]!
    const start = performance.now()
    query.recommend({ userId: user, numResults: 21, excludeSeen: true, parameters: defaultParameters })
    if (i >= 0) answered[i] = performance.now() - start
  }
  answered.sort()
  applied.sort()
  const ms = (value: number): string => `${value.toFixed(3)} ms`
  const us = (value: number): string => `${(value * 1000).toFixed(1)} µs`
  const { rss } = process.memoryUsage()
  return {
    index: name,
    'query p50': ms(percentile(answered, 0.5)),
    p90: ms(percentile(answered, 0.9)),
    p99: ms(percentile(answered, 0.99)),
    'p90 : Serenade\'s': (percentile(answered, 0.9) / serenadeP90).toFixed(3),
    'apply p50': us(percentile(applied, 0.5)),
    'apply p90': us(percentile(applied, 0.9)),
    'apply p99.9': us(percentile(applied, 0.999)),
    memory: `${Math.round(rss / 2 ** 20)} MiB`
  }
}

function realClicks (): Click[] {
  const lines = readFileSync(join(folder, 'train.txt'), 'utf8').trim().split('\n').slice(1).map(line => line.split('\t'))
  return lines.map(([session, item, time]) => ({ user: session!, session: session!, item: item!, time: Number(time) * 1000 })).sort((a, b) => a.time - b.time)
}

/** Yields the clicks of sessions of 2 to 14 clicks, 20 sessions at once, by returning users, on items of Zipf-like popularity. */
function * syntheticClicks (total: number, items: number): Generator<Click> {
  const catalog = Array.from({ length: items }, (_, i) => `item-${i}`)
  let state = 1
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  let sessions = 0
  const begin = (): { user: string, session: string, left: number, theme: number } =>
    ({ user: `user-${Math.floor(random() ** 2 * total / 8)}`, session: `session-${sessions++}`, left: 2 + Math.floor(random() ** 2 * 13), theme: random() })
  const active = Array.from({ length: 20 }, begin)
  for (let i = 0; i < total; i++) {
    const slot = Math.floor(random() * active.length)
    const visit = active[slot]!
    // Half of the clicks are near the theme of the session, half are on any item. Both halves prefer popular items.
    const popular = Math.floor(items ** random()) - 1
    const item = random() < 0.5 ? popular : Math.floor(visit.theme * items / 200) * 200 + Math.floor(200 ** random()) - 1
    yield { user: visit.user, session: visit.session, item: catalog[Math.min(item, items - 1)]!, time: 1.7e12 + i * 500 }
    if (--visit.left === 0) active[slot] = begin()
  }
}

const rows: Array<Record<string, string>> = []
if (existsSync(join(folder, 'train.txt'))) {
  const clicks = realClicks()
  rows.push(measure(`${clicks.length} clicks of a shop`, clicks, clicks.length))
} else {
  console.log(`no ${join(folder, 'train.txt')}: passed over`)
}
const total = Number(events)
rows.push(measure(`${total} events, ${items} items (synthetic)`, syntheticClicks(total, Number(items)), total))
for (const row of rows) console.table(row)
