import { ConfigError } from './config/parse.ts'
import { DiskFullError } from './lmdb.ts'
import { ImportError } from './records/import-error.ts'
import { SettingsError } from './settings.ts'

/** Says what went wrong and ends the process with 1. Where it is the user's to mend there is no stack in the way. */
export function endWith (error: unknown): never {
  const known = error instanceof ConfigError || error instanceof SettingsError || error instanceof ImportError || error instanceof DiskFullError || isSystemError(error)
  console.error(known ? (error as Error).message : error)
  process.exit(1)
}

/** A file that is not there, a port that is taken, a disk that is full. */
function isSystemError (error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}
