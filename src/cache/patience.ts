/** Redis has not answered a command in time. */
export class NoAnswer extends Error {}

/**
 * Returns what a command gives, if it does so in time. When the time is over, the answers that have already arrived are read first: a
 * process that was busy or paused must not take that for a failure of Redis.
 * @throws NoAnswer if it does not
 */
export async function within<T> (ms: number, answer: Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => { setImmediate(() => { reject(new NoAnswer('Redis did not answer in time')) }) }, ms)
    answer.then(resolve, reject).finally(() => { clearTimeout(timer) })
  })
}
