import { failureWord } from '../base/errors.ts'
import type { Scope } from '../connections/scope.ts'

/** One line of trouble with a system goes to the log in this time, in ms: it may concern each request. */
const quiet = 60_000

/** Trouble that the gateway finds itself. Its message has no data of a user. */
export class Trouble extends Error {}

/**
 * Returns a function that writes to the log that a system does not answer as it should, at most once a minute. The line names the error,
 * and not the message of another system's, which may quote the id of a user.
 */
export function createTroubleLog ({ steady, onError }: Pick<Scope, 'steady' | 'onError'>, message: string): (cause: unknown) => void {
  let next = -Infinity
  return cause => {
    if (steady() < next) return
    next = steady() + quiet
    onError(new Error(`${message}: ${nameOf(cause)}`))
  }
}

function nameOf (cause: unknown): string {
  if (cause instanceof Trouble) return cause.message
  if (!(cause instanceof Error)) return 'an unknown error'
  const { code, $metadata } = cause as { code?: string, $metadata?: { httpStatusCode?: number } }
  return `${code ?? (cause.name === 'ReplyError' ? failureWord(cause) : cause.name)} ${$metadata?.httpStatusCode ?? ''}`.trimEnd()
}
