import { unwatchFile, watchFile } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import type { ConfigSource } from './source.ts'

/**
 * Returns a source that polls a file every `interval` ms. Change events would miss files on mounted volumes, and files that are
 * replaced by a rename or behind a symbolic link.
 */
export function fileSource (file: string, interval = 500): ConfigSource {
  const path = resolve(file)
  return {
    name: path,
    title: basename(path),
    read: async () => readFile(path, 'utf8'),
    watch (onChange) {
      const listener = (now: { mtimeMs: number, size: number, ino: number }, before: { mtimeMs: number, size: number, ino: number }): void => {
        if (now.mtimeMs !== before.mtimeMs || now.size !== before.size || now.ino !== before.ino) onChange()
      }
      watchFile(path, { interval, persistent: false }, listener)
      return () => unwatchFile(path, listener)
    }
  }
}
