import { once } from 'node:events'
import { createWriteStream } from 'node:fs'

/** The length of a line in bytes, with its line feed. */
const lineLength = 400

export function itemIdOf (i: number): string {
  return `item-${String(i).padStart(7, '0')}`
}

/** Writes a catalog, not ordered by id. Each item has the version of the catalog at its beginning and its end. */
export async function writeCatalog (file: string, count: number, version: number, { brokenLine }: { brokenLine?: number } = {}): Promise<void> {
  const out = createWriteStream(file, { highWaterMark: 1024 * 1024 })
  for (let i = 0; i < count; i++) {
    const line = i + 1 === brokenLine ? '{"id":"broken",\n' : lineOf(Number(BigInt(i) * 7_368_787n % BigInt(count)), version)
    if (!out.write(line)) await once(out, 'drain')
  }
  out.end()
  await once(out, 'close')
}

function lineOf (i: number, version: number): string {
  const head = `{"id":"${itemIdOf(i)}","v":${version},"name":"Item number ${i}","price":${i % 1000}.90,"tags":["shoes","summer"],"text":"`
  const tail = `","w":${version}}\n`
  return head + 'some words that describe the item '.repeat(12).slice(0, lineLength - head.length - tail.length) + tail
}

/** Returns a function that draws random ids, the same ones in each run. */
export function seededIds (count: number): (size: number) => string[] {
  let state = 1
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  return size => Array.from({ length: size }, () => itemIdOf(Math.floor(random() * count)))
}
