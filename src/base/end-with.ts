import { fileErrorText } from './file-error.ts'
import { UserError } from './user-error.ts'

/** Prints an error and exits with 1. An error that the user can fix is printed without its stack. */
export function endWith (error: unknown): never {
  console.error(fileErrorText(error) ?? (error instanceof UserError || isSystemError(error) ? (error as Error).message : error))
  process.exit(1)
}

/** Returns whether an error is a system error, such as a missing file, a port in use or a full disk. */
function isSystemError (error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}
