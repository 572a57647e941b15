import { randomUUID } from 'node:crypto'
import { link, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { UserError } from './user-error.ts'

/** Thrown if another process holds the lock. */
export class LockedError extends UserError {
  override readonly name = 'LockedError'
}

/** Interval in which the holder touches the lock file, in ms. */
const heartbeat = 20_000
/** Time without a touch after which the holder counts as dead, in ms. */
const deadAfter = 120_000

/**
 * Runs a task under a lock, so that no other process runs it at the same time, on this machine or another that shares the file.
 * @throws LockedError if another process holds the lock; the errors of the task
 */
export async function withLock<T> (file: string, task: () => Promise<T>): Promise<T> {
  await take(file)
  const timer = setInterval(() => { utimes(file, new Date(), new Date()).catch(() => {}) }, heartbeat).unref()
  try {
    return await task()
  } finally {
    clearInterval(timer)
    if (await isOurs(file)) await rm(file, { force: true })
  }
}

async function isOurs (file: string): Promise<boolean> {
  return await readFile(file, 'utf8').catch(() => '') === `${process.pid} ${hostname()}`
}

/** Returns whether a living process holds the lock. */
export async function isLocked (file: string): Promise<boolean> {
  return await stateOf(file) === 'held'
}

async function stateOf (file: string): Promise<'free' | 'held' | 'left behind'> {
  const [content, stats] = await Promise.all([readFile(file, 'utf8').catch(() => undefined), stat(file).catch(() => undefined)])
  if (content === undefined || stats === undefined) return 'free'
  // A time in the future is left from before a clock was set back.
  if (Math.abs(Date.now() - stats.mtimeMs) > deadAfter) return 'left behind'
  const [pid, host] = content.split(' ', 2)
  return host !== hostname() || lives(Number(pid)) ? 'held' : 'left behind'
}

async function take (file: string): Promise<void> {
  if (await stateOf(file) === 'left behind') await takeAway(file)
  const ours = `${file}.${randomUUID()}`
  await writeFile(ours, `${process.pid} ${hostname()}`)
  try {
    // A link makes the file appear with its whole content, or not at all.
    await link(ours, file)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause
    throw new LockedError('another import of this namespace is under way', { cause })
  } finally {
    await rm(ours, { force: true })
  }
}

/**
 * Removes a lock that was left behind. Another process may have removed it already and hold a new lock: this function moves the file away,
 * checks it again, and puts it back if its holder lives.
 */
async function takeAway (file: string): Promise<void> {
  const aside = `${file}.${randomUUID()}`
  try {
    await rename(file, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  if (await stateOf(aside) === 'held') await link(aside, file).catch(() => {})
  await rm(aside, { force: true })
}

function lives (pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
