import { dropLetters, listLetters, retryLetters, type Choice, type DeadLetter } from '../targets/queued/dead-letters.ts'
import { streamKeysOf, type StreamKeys } from '../targets/queued/stream.ts'
import { openRedis, type RedisCommands } from '../connections/redis-client.ts'
import { readSettings } from '../settings.ts'
import { failureWord } from '../base/errors.ts'
import { UserError } from '../base/user-error.ts'

interface TargetOptions {
  namespace: string
  target: string
  limit?: number
}

export interface ListOptions extends TargetOptions {
  json?: boolean
}

export interface ChoiceOptions extends TargetOptions {
  id?: string[]
  all?: boolean
}

/** How many dead letters are listed without `--limit`. */
const listed = 100

/** The longest time for a command and for connecting, in ms. */
const commandTimeout = 10_000
const connectWithin = 5_000

/** The form of the ids of Redis stream entries. */
const idForm = /^\d{1,20}-\d{1,20}$/

/** Prints the oldest dead letters of a target. */
export async function listDeadLetters (options: ListOptions): Promise<void> {
  const found = await withLetters(options, async (redis, keys) => listLetters(redis, keys, options.limit ?? listed))
  for (const letter of found) console.log(options.json === true ? JSON.stringify(toldOf(letter)) : rowOf(letter))
  if (options.json !== true) console.error(told(found.length, 'shown'))
}

/** Has dead letters delivered again. */
export async function retryDeadLetters (options: ChoiceOptions): Promise<void> {
  const choice = choiceOf(options)
  console.log(told(await withLetters(options, async (redis, keys) => retryLetters(redis, keys, choice)), 'put back to be delivered'))
}

/** Deletes dead letters for good. */
export async function dropDeadLetters (options: ChoiceOptions): Promise<void> {
  const choice = choiceOf(options)
  console.log(told(await withLetters(options, async (redis, keys) => dropLetters(redis, keys, choice)), 'deleted'))
}

function choiceOf ({ id, all, limit = Infinity }: ChoiceOptions): Choice {
  if ((id === undefined) === (all === undefined)) throw new UserError('expected either --id or --all')
  const bad = id?.find(id => !idForm.test(id))
  if (bad !== undefined) throw new UserError(`--id: "${bad}" is none; expected one as in 1795291964175-0`)
  return id === undefined ? { oldest: limit } : { ids: id.slice(0, limit) }
}

async function withLetters<T> ({ namespace, target }: TargetOptions, act: (redis: RedisCommands, keys: StreamKeys) => Promise<T>): Promise<T> {
  const { REDIS_URL } = readSettings()
  if (REDIS_URL === undefined) throw new UserError('REDIS_URL is missing; expected the address of the Redis that the gateway uses')
  let problem: Error | undefined
  const redis = openRedis(REDIS_URL, { commandTimeout, onProblem: told => { problem ??= told } })
  try {
    if (!await redis.untilReady(connectWithin)) throw new UserError(`Redis does not answer where REDIS_URL says: ${failureWord(redis.problem)}`)
    return await act(redis.commands, streamKeysOf(namespace, target))
  } catch (error) {
    throw problem ?? error
  } finally {
    redis.close()
  }
}

function toldOf ({ time, ...letter }: DeadLetter): object {
  return { time: new Date(time).toISOString(), ...letter }
}

function rowOf ({ id, time, tries, reason, user, events }: DeadLetter): string {
  return [new Date(time).toISOString(), `${tries} tries`.padStart(9), `${events} events`.padStart(10), printable(user ?? '-').padEnd(24), id.padEnd(20), reason].join('  ')
}

function told (count: number, done: string): string {
  return count === 1 ? `one dead letter was ${done}` : `${count} dead letters were ${done}`
}

/** Escapes control characters. Callers choose user ids, and a terminal would execute escape sequences in them. */
function printable (text: string): string {
  return JSON.stringify(text).slice(1, -1)
}
