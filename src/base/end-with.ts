import { UserError } from './user-error.ts'

/** Says what went wrong and ends the process with 1. Where it is the user's to mend there is no stack in the way. */
export function endWith (error: unknown): never {
  console.error(error instanceof UserError || isSystemError(error) ? (error as Error).message : error)
  process.exit(1)
}

/** A file that is not there, a port that is taken, a disk that is full. */
function isSystemError (error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}
