import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { isLocked, withLock } from '../../base/lock.ts'

const pointer = 'CURRENT'
const prefix = 'generation-'

/**
 * A directory of generations, one of which is current. A writer makes a new generation beside it and publishes it by renaming one file:
 * a reader sees either the old or the new generation, and a writer that dies leaves the old one intact.
 */
export interface Generations {
  /** The path of the current generation; undefined before the first. */
  current: () => Promise<string | undefined>
  /**
   * Creates an empty generation, calls `fill` with its path and that of the current one, and makes it current. If `fill` fails, nothing changes. `fill` returns a
   * digest of the contents: generations with equal digests have equal revisions.
   * @throws LockedError, a UserError, while another process replaces the generation
   */
  replace: <T extends Filled>(fill: (path: string, current: string | undefined) => Promise<T>) => Promise<T>
  /** Removes the files that dead writers left behind. */
  sweep: () => Promise<void>
}

export interface Filled {
  /** Letters and digits. */
  digest: string
}

/** Returns the revision of a generation: the digest in its name, equal for generations with the same items. */
export function revisionOf (path: string): string {
  return basename(path).split('-')[1] ?? ''
}

/** Syncs a directory to disk, so that a power failure cannot restore the pointer to a generation that is removed next. */
async function flushNames (directory: string): Promise<void> {
  const handle = await open(directory)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Returns the generations of a directory. */
export function generations (directory: string): Generations {
  const lock = join(directory, 'LOCK')

  async function current (): Promise<string | undefined> {
    try {
      return join(directory, (await readFile(join(directory, pointer), 'utf8')).trim())
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  async function removeOthers (): Promise<void> {
    const keep = await current()
    const names = await readdir(directory).catch(() => [])
    const others = names.filter(name => name.startsWith(prefix) || name.startsWith(`${pointer}.`)).map(name => join(directory, name)).filter(path => path !== keep)
    await Promise.all(others.map(async path => rm(path, { recursive: true, force: true })))
  }

  async function publish (name: string): Promise<void> {
    const next = join(directory, `${pointer}.next`)
    await writeFile(next, name, { flush: true })
    await rename(next, join(directory, pointer))
    await flushNames(directory)
  }

  return {
    current,
    async replace (fill) {
      await mkdir(directory, { recursive: true })
      return withLock(lock, async () => {
        await removeOthers()
        const suffix = randomBytes(8).toString('hex')
        const unnamed = join(directory, `${prefix}${suffix}`)
        await mkdir(unnamed)
        try {
          const filled = await fill(unnamed, await current())
          const name = `${prefix}${filled.digest}-${suffix}`
          await rename(unnamed, join(directory, name))
          await publish(name)
          return filled
        } finally {
          await removeOthers()
        }
      })
    },
    async sweep () {
      if (!await isLocked(lock)) await removeOthers()
    }
  }
}
