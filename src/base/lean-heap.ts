import { Session } from 'node:inspector/promises'
import { setFlagsFromString } from 'node:v8'

/**
 * Makes V8 collect garbage early, so that the heap stays small. It is meant for a process that reads a file of any size beside processes
 * that need the memory more. It costs CPU time, so it does not suit a serving process.
 */
export function leanHeap (): void {
  setFlagsFromString('--heap-growing-percent=60')
  setFlagsFromString('--semi-space-growth-factor=1')
}

/**
 * Makes V8 collect garbage of a serving process before the heap has grown by more than half. By default, V8 lets a small heap grow to four
 * times of what is in use: a burst of large requests would take that much memory.
 */
export function boundHeap (): void {
  setFlagsFromString('--heap-growing-percent=50')
}

/**
 * Collects all garbage and returns free pages to the system, once: the heap that a start needs is three times what stays. How the heap
 * grows afterwards does not change. Node's own `gc` collects, but keeps the pages; only the inspector's protocol asks V8 for both.
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
