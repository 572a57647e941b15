import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { isLocked, withLock } from '../../base/lock.ts'

const pointer = 'CURRENT'
const prefix = 'generation-'

/**
 * A directory of generations of which one is current. A new one is made beside it and takes over by the rename of one file,
 * so that a reader sees the old one or the new one, and a writer that dies leaves the old one untouched.
 */
export interface Generations {
  /** The path of the current generation; undefined before the first. */
  current: () => Promise<string | undefined>
  /**
   * Makes an empty generation, has it filled, and makes it the current one; where filling fails, nothing has changed. What fills it
   * tells a digest of what it holds: generations with the same have the same revision.
   * @throws UserError while another process does the same
   */
  replace: <T extends Filled>(fill: (path: string) => Promise<T>) => Promise<T>
  /** Removes what dead writers left behind. */
  sweep: () => Promise<void>
}

export interface Filled {
  /** Letters and digits. */
  digest: string
}

/** What generations with the same items have in common. */
export function revisionOf (path: string): string {
  return basename(path).split('-')[1] ?? ''
}

/** Puts a directory's names onto the disk: a power cut shall not bring back the name of what is removed next. */
async function flushNames (directory: string): Promise<void> {
  const handle = await open(directory)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

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
          const filled = await fill(unnamed)
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
