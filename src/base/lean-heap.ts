import { Session } from 'node:inspector/promises'
import { setFlagsFromString } from 'node:v8'

/**
 * Has this process collect its garbage before there is much of it: for one that reads a file of any size, beside others that need the
 * memory more. It costs time, so it is nothing for a process that serves.
 */
export function leanHeap (): void {
  setFlagsFromString('--heap-growing-percent=60')
  setFlagsFromString('--semi-space-growth-factor=1')
}

/**
 * Collects all garbage and returns free pages to the system: the heap that a start needs is three times what stays. Holds this process up
 * for some 50 ms, once, and leaves how the heap grows as it was. The inspector's protocol is the only interface of Node.js that asks V8 for it.
 */
export async function giveBackHeap (): Promise<void> {
  const session = new Session()
  session.connect()
  try {
    await session.post('HeapProfiler.collectGarbage')
  } finally {
    session.disconnect()
  }
}
