/** A time limit, as an abort signal. */
export interface Deadline {
  readonly signal: AbortSignal
  /** Cancels the timer; call it when the work has ended. */
  clear: () => void
}

/**
 * Starts a deadline, whose signal aborts after a time unless it is cleared before. `AbortSignal.timeout` cannot be cleared: each request
 * would leave a timer behind that outlives it, and that creates an error with a stack when it fires.
 */
export function startDeadline (ms: number): Deadline {
  const controller = new AbortController()
  if (ms <= 0) controller.abort(timedOut)
  const timer = setTimeout(() => controller.abort(timedOut), ms)
  return { signal: controller.signal, clear: () => clearTimeout(timer) }
}

/**
 * Makes a call with a time limit.
 * @param ms limit; then the call's signal aborts
 * @param outer aborts the call earlier
 */
export async function within<T> (ms: number, call: (options: { abortSignal: AbortSignal }) => Promise<T>, outer?: AbortSignal): Promise<T> {
  const deadline = startDeadline(ms)
  try {
    return await call({ abortSignal: outer === undefined ? deadline.signal : AbortSignal.any([outer, deadline.signal]) })
  } finally {
    deadline.clear()
  }
}

const timedOut = new Error('the deadline is over')
