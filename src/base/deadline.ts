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

/**
 * Makes a call that has an end.
 * @param outer ends it earlier
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
