import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const pointer = 'CURRENT'
const prefix = 'generation-'

/** An import that has written nothing for this long is dead. */
const abandonedAfterMs = 60_000

/**
 * A directory of generations of which one is current. A new one is made beside it and takes over by the rename of one file,
 * so that a reader sees the old one or the new one, and a writer that dies leaves the old one untouched.
 */
export interface Generations {
  /** The path of the current generation; undefined before the first. */
  current: () => Promise<string | undefined>
  /** Makes an empty generation; returns its path. */
  begin: () => Promise<string>
  /** Makes a finished generation the current one and removes the others. */
  publish: (path: string) => Promise<void>
  discard: (path: string) => Promise<void>
  /** Removes what dead imports left behind. */
  sweep: (now: number) => Promise<void>
}

export function generations (directory: string): Generations {
  async function current (): Promise<string | undefined> {
    try {
      return join(directory, (await readFile(join(directory, pointer), 'utf8')).trim())
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  async function others (): Promise<string[]> {
    const keep = await current()
    const names = await readdir(directory).catch(() => [])
    return names.filter(name => name.startsWith(prefix)).map(name => join(directory, name)).filter(path => path !== keep)
  }

  async function lastWrite (path: string): Promise<number> {
    const files = await readdir(path).catch(() => [])
    const times = await Promise.all(['.', ...files].map(async file => (await stat(join(path, file)).catch(() => undefined))?.mtimeMs ?? 0))
    return Math.max(...times)
  }

  const discard = async (path: string): Promise<void> => rm(path, { recursive: true, force: true })

  return {
    current,
    discard,
    async begin () {
      const path = join(directory, `${prefix}${Date.now()}-${randomBytes(4).toString('hex')}`)
      await mkdir(path, { recursive: true })
      return path
    },
    async publish (path) {
      const next = join(directory, `${pointer}.${randomBytes(4).toString('hex')}`)
      await writeFile(next, path.slice(directory.length + 1), { flush: true })
      await rename(next, join(directory, pointer))
      await Promise.all((await others()).map(discard))
    },
    async sweep (now) {
      for (const path of await others()) {
        if (now - await lastWrite(path) > abandonedAfterMs) await discard(path)
      }
    }
  }
}
