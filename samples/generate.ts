/**
 * Makes the sample store: a catalog and the traces of its visitors. The same every time, so that what the README shows stays true.
 *   node dist/samples/generate.js
 */
import { writeFileSync } from 'node:fs'
import { packagedFile } from '../src/settings.ts'

const items = 240
const sessions = 2_400
const users = 400
const firstDay = Date.UTC(2026, 8, 1)
const days = 60

interface Category {
  name: string
  kinds: string[]
  lowestPrice: number
  highestPrice: number
  /** Categories that the same visitor likes, too. */
  near: number[]
}

const categories: Category[] = [
  { name: 'camping', kinds: ['tent', 'sleeping bag', 'camp stove', 'lantern', 'hammock'], lowestPrice: 15, highestPrice: 380, near: [1, 6] },
  { name: 'hiking', kinds: ['rucksack', 'boots', 'walking poles', 'rain jacket', 'water bottle'], lowestPrice: 12, highestPrice: 260, near: [0, 7] },
  { name: 'kitchen', kinds: ['chef\'s knife', 'cast-iron pan', 'coffee grinder', 'teapot', 'chopping board'], lowestPrice: 9, highestPrice: 190, near: [3, 5] },
  { name: 'garden', kinds: ['pruning shears', 'watering can', 'planter', 'bird feeder', 'rake'], lowestPrice: 8, highestPrice: 120, near: [2, 5] },
  { name: 'music', kinds: ['record player', 'headphones', 'ukulele', 'metronome', 'speaker'], lowestPrice: 19, highestPrice: 420, near: [5, 7] },
  { name: 'reading', kinds: ['reading lamp', 'bookend', 'notebook', 'fountain pen', 'armchair cushion'], lowestPrice: 6, highestPrice: 95, near: [2, 4] },
  { name: 'cycling', kinds: ['helmet', 'bike light', 'pannier', 'repair kit', 'bell'], lowestPrice: 7, highestPrice: 140, near: [1, 7] },
  { name: 'travel', kinds: ['suitcase', 'neck pillow', 'packing cubes', 'travel adapter', 'day bag'], lowestPrice: 11, highestPrice: 290, near: [1, 6] }
]
const styles = ['Alder', 'Birch', 'Cobalt', 'Dune', 'Ember', 'Fjord', 'Granite', 'Harbour', 'Indigo', 'Juniper']

/** A linear congruential generator (Numerical Recipes): good enough for a shop that does not exist. */
function randomFrom (seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

const random = randomFrom(42)
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!

const catalog = Array.from({ length: items }, (_, i) => {
  const category = i % categories.length
  const { name, kinds, lowestPrice, highestPrice } = categories[category]!
  const kind = pick(kinds)
  const price = Math.round((lowestPrice + random() ** 2 * (highestPrice - lowestPrice)) * 100) / 100
  return { id: `item-${i + 1}`, name: `${pick(styles)} ${kind}`, category: name, price, rating: Math.round((3 + random() * 2) * 10) / 10, inStock: random() > 0.1 }
})

/** An item of a category, the first ones of it far more often. */
function itemOf (category: number): string {
  const rank = Math.floor(random() ** 2.5 * (items / categories.length))
  return catalog[rank * categories.length + category]!.id
}

function eventType (): string {
  const dice = random()
  return dice < 0.82 ? 'view' : dice < 0.94 ? 'cart' : 'purchase'
}

const favourites = Array.from({ length: users }, () => Math.floor(random() * categories.length))
const events: Array<{ userId: string, sessionId: string, itemId: string, eventType: string, sentAt: number }> = []
for (let session = 1; session <= sessions; session++) {
  const user = Math.floor(random() * users)
  const favourite = random() < 0.7 ? favourites[user]! : Math.floor(random() * categories.length)
  let time = firstDay + Math.floor(random() * days * 24 * 3600) * 1000
  for (let length = 2 + Math.floor(random() ** 2 * 7); length > 0; length--) {
    const category = random() < 0.8 ? favourite : pick(categories[favourite]!.near)
    events.push({ userId: `user-${user + 1}`, sessionId: `visit-${session}`, itemId: itemOf(category), eventType: eventType(), sentAt: time / 1000 })
    time += Math.floor(20 + random() * 200) * 1000
  }
}
events.sort((a, b) => a.sentAt - b.sentAt)

const linesOf = (records: readonly object[]): string => records.map(record => `${JSON.stringify(record)}\n`).join('')
writeFileSync(packagedFile('samples/items.jsonl'), linesOf(catalog))
writeFileSync(packagedFile('samples/events.jsonl'), linesOf(events))
