/** An end of waiting. */
export interface Deadline {
  readonly signal: AbortSignal
  /** To be called when there is nothing to wait for any more. */
  clear: () => void
}

/**
 * Aborts its signal after a time, unless cleared before. `AbortSignal.timeout` cannot be cleared: every request would leave a timer
 * behind that outlives it, and that makes an error with a stack when it fires.
 */
export function startDeadline (ms: number): Deadline {
  const controller = new AbortController()
  if (ms <= 0) controller.abort(timedOut)
  const timer = setTimeout(() => controller.abort(timedOut), ms)
  return { signal: controller.signal, clear: () => clearTimeout(timer) }
}

const timedOut = new Error('the deadline is over')
