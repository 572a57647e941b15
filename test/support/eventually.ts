import { setTimeout } from 'node:timers/promises'

/** Polls until a condition holds. The default bound leaves room for a busy machine. @throws Error if the condition does not hold in time */
export async function eventually (what: string, holds: () => boolean | Promise<boolean>, withinMs = 15_000): Promise<void> {
  const end = performance.now() + withinMs
  while (!await holds()) {
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`)
    await setTimeout(5)
  }
}
