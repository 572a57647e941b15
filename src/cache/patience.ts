/** The error of a command that Redis did not answer in time. */
export class NoAnswer extends Error {}

/**
 * Returns the answer to a command if it arrives in time. When the time is over, the process first reads the answers that have already
 * arrived: a process that was busy or paused must not mistake that for a failure of Redis.
 * @param ms the longest wait
 * @throws NoAnswer if no answer arrives in time; the error of the command if it fails
 */
export async function within<T> (ms: number, answer: Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => { setImmediate(() => { reject(new NoAnswer('Redis did not answer in time')) }) }, ms)
    answer.then(resolve, reject).finally(() => { clearTimeout(timer) })
  })
}
