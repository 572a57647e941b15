import { UserError } from '../base/user-error.ts'

/** An error as ioredis gives it: a reply of Redis names the command that it answers. */
interface Refusal extends Error {
  command?: { name: string, args: readonly unknown[] }
  previousErrors?: readonly Error[]
}

/** The prefix of the keys and channels that the gateway itself uses. */
export const ownPrefix = 'personalization:'

/** The most problems that a process reports: a configuration can name any number of streams. */
const mostTold = 100

const told = new WeakMap<(problem: Error) => void, Set<string>>()

/** Refusals of Redis while it takes no writes: it is starting, is no longer the primary, is full or busy, or moves the key. */
const passing = /^(?:LOADING|BUSY|MASTERDOWN|READONLY|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|OOM|MISCONF|NOREPLICAS)\b/

/** Returns whether Redis refused a command for now: it did not execute the command, and may accept it later. */
export function isRefusedForNow (error: unknown): boolean {
  return error instanceof Error && passing.test(error.message)
}

/**
 * Returns the reason why there is no connection, in words for the operator: ioredis speaks of its own options, or asks to report that a
 * server is no Redis.
 */
export function causeOf (error: unknown): unknown {
  // An attempt to reach the nodes of a cluster has the reason of the last node.
  if (error instanceof Error && 'lastNodeError' in error) return causeOf(error.lastNodeError)
  const message = error instanceof Error ? error.message : ''
  if (/enableOfflineQueue|^Connection is closed/.test(message)) return coded('there is no connection', 'ECONNRESET', error)
  if (/Unknown RESP type|Protocol error, got/.test(message)) return coded('the server does not speak the protocol of Redis', 'EPROTO', error)
  if (/^Command timed out/.test(message)) return coded('the server accepts connections, but does not answer', 'ETIMEDOUT', error)
  return error
}

/** Returns whether a reason for having no connection can be due to TLS, which the client does not see. */
export function isVague (reason: unknown): boolean {
  const { code } = (reason ?? {}) as { code?: unknown }
  return typeof code === 'string' && /^(?:ETIMEDOUT|ECONNRESET|EPROTO|EPIPE|ERR_SSL_.*)$/.test(code)
}

function coded (message: string, code: string, cause: unknown): Error {
  return Object.assign(new Error(message, { cause }), { code })
}

/** Returns whether Redis refused a command because its user lacks a permission. */
export function isDenied (error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { previousErrors = [] } = error as Refusal
  // Redis refuses a transaction if it refuses one of its commands. The errors of the commands are in `previousErrors`, which can
  // contain the error of the transaction as well.
  return [error, ...previousErrors].some(({ message }) => message.startsWith('NOPERM'))
}

/**
 * Returns a function that reports each problem once in a process: connections with the same `onProblem` share a list of the reported
 * problems. The function ignores errors that no operator has to correct.
 * @param onProblem receives a UserError that says what the operator has to change
 */
export function tellOnce (onProblem: (problem: Error) => void): (error: unknown) => void {
  const known = told.get(onProblem) ?? new Set()
  told.set(onProblem, known)
  return error => {
    const problem = problemOf(error)
    if (problem === undefined || known.has(problem.message) || known.size >= mostTold) return
    known.add(problem.message)
    onProblem(problem)
  }
}

function problemOf (error: unknown): UserError | undefined {
  if (error instanceof UserError) return error
  if (!(error instanceof Error)) return undefined
  if (/^(?:WRONGPASS|NOAUTH)\b/.test(error.message)) return new UserError(`Redis does not accept the user and the password in REDIS_URL: ${error.message}`)
  return error.message.startsWith('NOPERM') ? new UserError(`Redis refuses ${describe(error)} (see docs/redis.md)`) : undefined
}

/** Describes the missing permission. Redis 6 names a command "xgroup", later versions "xgroup|create". */
function describe ({ message, command = { name: 'a command', args: [] } }: Refusal): string {
  const { name, args } = command
  const [, forbidden] = /run the '([^']+)' command/.exec(message) ?? []
  if (forbidden !== undefined) return `${name.toUpperCase()}: its user lacks the permission "+${forbidden.toLowerCase()}"`
  if (message.includes('executing the script')) return `a command of a script, which ${name.toUpperCase()} runs: its user lacks a permission`
  const texts = args.map(String)
  const own = texts.find(text => text.startsWith(ownPrefix))
  const pattern = own === undefined ? texts[0] ?? '' : `${ownPrefix}*`
  const [kind, sign] = /channel/.test(message) ? ['channels', '&'] : ['keys', '~']
  return `${name.toUpperCase()}: its user lacks the permission "${sign}${pattern}" for ${kind}`
}
