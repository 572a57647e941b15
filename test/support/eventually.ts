import { setTimeout } from 'node:timers/promises'

/** Waits until something holds, looking again and again; throws where it does not within the bound. */
export async function eventually (what: string, holds: () => boolean | Promise<boolean>, withinMs = 5_000): Promise<void> {
  const end = Date.now() + withinMs
  while (!await holds()) {
    if (Date.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`)
    await setTimeout(5)
  }
}
