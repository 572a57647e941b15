import { setTimeout } from 'node:timers/promises'

/** Waits until something holds, looking again and again; throws where it does not within the bound, which a busy machine needs much of. */
export async function eventually (what: string, holds: () => boolean | Promise<boolean>, withinMs = 15_000): Promise<void> {
  const end = Date.now() + withinMs
  while (!await holds()) {
    if (Date.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`)
    await setTimeout(5)
  }
}
