/**
 * Sends visitors to the sample store with experiments, and has them click. The same seed gives the same visitors, so a second run adds
 * nothing to what a first one has counted.
 *   node dist/samples/visitors.js --url http://localhost:8080 --visitors 2000 [--recommender more-for-you] [--seed 1]
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { endWith } from '../src/base/end-with.ts'
import { packagedFile } from '../src/base/packaged-file.ts'
import { UserError } from '../src/base/user-error.ts'
import { uniform } from '../src/experiments/uniform.ts'

/** The share of visitors that click, by the variation that they get: the truth that the experiment has to find. */
const rates: Readonly<Record<string, number>> = { 'last-item': 0.1, sessions: 0.2 }

/** The share of those who clicked that buy. */
const buying = 0.3

/** In a blended list, a visitor looks from the top down, and clicks on items of a favourite category far more often than on others. */
const liking = { favourite: 0.3, other: 0.02, downward: 0.85 }

const namespace = 'sample-store'
const mostVisitors = 100_000
const atOnce = 8

/** The longest time for a request, in ms. */
const patience = 10_000

interface Item { id: string, category: string }
interface ListedItem { itemId: string, metadata?: { category?: string } }
interface Answer { itemList: ListedItem[], recommendationId?: string, matchedExperiment?: { details: { variation?: string } } }

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://localhost:8080' },
    visitors: { type: 'string', default: '2000' },
    recommender: { type: 'string', default: 'recommended-for-you' },
    seed: { type: 'string', default: '1' }
  }
})
const url = values.url.replace(/\/+$/, '')
const catalog = readFileSync(packagedFile('samples/items.jsonl'), 'utf8').trimEnd().split('\n').map(line => JSON.parse(line) as Item)
const categories = [...new Set(catalog.map(({ category }) => category))]

async function call<T> (path: string, body?: object): Promise<T> {
  const init = body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const response = await fetch(`${url}${path}`, { ...init, signal: AbortSignal.timeout(patience) }).catch((cause: unknown) => { throw new UserError(`${url} does not answer`, { cause }) })
  const text = await response.text()
  if (!response.ok) throw new UserError(`${path}: ${response.status} ${text.slice(0, 500)}`)
  return JSON.parse(text) as T
}

/** One visit: three items are viewed, the last one away from the visitor's favourite category; then the list is shown. @returns the number of clicks */
async function visit (number: number): Promise<number> {
  const userId = `visitor-${values.seed}-${number}`
  const chance = (...of: string[]): number => uniform(userId, ...of)
  const pick = <T>(list: readonly T[], ...of: string[]): T => list[Math.floor(chance(...of) * list.length)]!
  const favourite = pick(categories, 'favourite')
  const isFavourite = ({ category }: { category?: string }): boolean => category === favourite
  const viewed = [pick(catalog.filter(isFavourite), 'first'), pick(catalog.filter(isFavourite), 'second'), pick(catalog.filter(item => !isFavourite(item)), 'third')]
  const now = Math.floor(Date.now() / 1000)
  const send = async (eventList: object[]): Promise<unknown> => call(`/events/${namespace}`, { userId, sessionId: `visit-of-${userId}`, eventList })

  await send(viewed.map(({ id }, i) => ({ eventId: `${userId}/view-${i}`, eventType: 'view', itemId: id, sentAt: now - 3 + i })))
  const { itemList, recommendationId, matchedExperiment } = await call<Answer>(`/recommend-items/${namespace}/${encodeURIComponent(values.recommender)}/${userId}?numResults=10`)
  const { variation } = matchedExperiment?.details ?? {}
  const clicked = variation === undefined
    ? itemList.filter(({ itemId, metadata = {} }, at) => chance('likes', itemId) < (isFavourite(metadata) ? liking.favourite : liking.other) * liking.downward ** at)
    : itemList.slice(0, chance('clicks') < (rates[variation] ?? 0) ? 1 : 0)
  if (clicked.length === 0) return 0
  const clicks = clicked.map(({ itemId }) => ({ eventId: `${userId}/click-${itemId}`, eventType: 'click', itemId, recommendationId }))
  const purchase = { eventId: `${userId}/purchase`, eventType: 'purchase', itemId: clicked[0]!.itemId, recommendationId, eventValue: Math.round(10 + 90 * chance('price')) }
  await send(chance('buys') < buying ? [...clicks, purchase] : clicks)
  return clicked.length
}

async function visitAll (): Promise<void> {
  const count = Number(values.visitors)
  if (!/^\d+$/.test(values.visitors) || count < 1 || count > mostVisitors) throw new UserError(`--visitors: expected a number from 1 to ${mostVisitors}`)
  if (!/^[\w-]{1,64}$/.test(values.seed)) throw new UserError('--seed: expected 1 to 64 letters, digits, "_" or "-"')
  let next = 0
  let clicks = 0
  await Promise.all(Array.from({ length: atOnce }, async () => {
    while (next < count) {
      const more = await visit(++next)
      clicks += more
    }
  }))
  console.log(`${count} visitors, ${clicks} clicks`)
}

await visitAll().catch(endWith)
