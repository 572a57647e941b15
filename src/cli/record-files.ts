import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../base/user-error.ts'
import { whyNoCatalog } from '../metadata/staging/part-names.ts'
import { formatOf } from '../records/formats.ts'

/**
 * Returns the files of records that arguments name. A folder stands for the files in it, at any depth, except markers and manifests,
 * which are named on standard error.
 * @throws UserError if a name tells an unknown format, or a folder has no such file
 */
export async function recordFilesOf (paths: readonly string[]): Promise<string[]> {
  const files: string[] = []
  for (const path of paths) {
    const stats = await stat(path).catch((error: unknown) => {
      // The name of a file that is not there may be wrong as well: that is told first.
      formatOf(path)
      throw error
    })
    files.push(...stats.isDirectory() ? await filesIn(path) : [path])
  }
  for (const file of files) formatOf(file)
  return files
}

async function filesIn (folder: string): Promise<string[]> {
  const files: string[] = []
  for (const entry of (await readdir(folder, { recursive: true, withFileTypes: true }))) {
    if (!entry.isFile()) continue
    const file = join(entry.parentPath, entry.name)
    const reason = whyNoCatalog(file.slice(join(folder, '/').length), (await stat(file)).size)
    if (reason === undefined) files.push(file)
    else console.error(`passed over: ${file} (${reason})`)
  }
  if (files.length === 0) throw new UserError(`there is no file of records in the folder ${folder}; expected JSON Lines, CSV or TSV`)
  return files.sort()
}

/** Returns a listener for the progress of one of several files, which reports the progress of all. */
export function partOfProgress (i: number, count: number, update: (read: number, total: number) => void): (read: number, total: number) => void {
  return (read, total) => { update((i * total + read) / count, total) }
}
