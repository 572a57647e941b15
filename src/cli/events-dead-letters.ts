import { Command, InvalidArgumentError, Option } from 'commander'
import { dropLetters, listLetters, retryLetters, type Choice, type DeadLetter } from '../targets/queued/dead-letters.ts'
import { streamKeysOf, type StreamKeys } from '../targets/queued/stream.ts'
import { openRedis, type RedisCommands } from '../connections/redis-client.ts'
import { namePattern } from '../base/schema.ts'
import { readSettings } from '../settings.ts'
import { UserError } from '../base/user-error.ts'
import { namespaceOption } from './namespace.ts'

interface TargetOptions {
  namespace: string
  target: string
  limit?: number
}

interface ListOptions extends TargetOptions {
  json?: boolean
}

interface ChoiceOptions extends TargetOptions {
  id?: string[]
  all?: boolean
}

/** So many are listed where nothing is said. */
const listed = 100

/** What a command may take, in ms, and connecting. */
const commandTimeout = 10_000
const connectWithin = 5_000

/** Of the form in which Redis names entries. */
const idForm = /^\d{1,20}-\d{1,20}$/

export function deadLettersCommand (): Command {
  const letters = new Command('dead-letters').description('look after events that a target with queued delivery did not take; REDIS_URL says where they are')

  onTarget(letters.command('list').description('show the oldest ones'))
    .option('--json', 'a line of JSON for each')
    .action(async (options: ListOptions) => {
      const found = await withLetters(options, async (redis, keys) => listLetters(redis, keys, options.limit ?? listed))
      for (const letter of found) console.log(options.json === true ? JSON.stringify(toldOf(letter)) : rowOf(letter))
      if (options.json !== true) console.error(told(found.length, 'shown'))
    })

  onLetters(letters.command('retry').description('have them delivered again')).action(async (options: ChoiceOptions) => {
    const choice = choiceOf(options)
    console.log(told(await withLetters(options, async (redis, keys) => retryLetters(redis, keys, choice)), 'put back to be delivered'))
  })

  onLetters(letters.command('drop').description('delete them for good')).action(async (options: ChoiceOptions) => {
    const choice = choiceOf(options)
    console.log(told(await withLetters(options, async (redis, keys) => dropLetters(redis, keys, choice)), 'deleted'))
  })

  return letters
}

function onTarget (command: Command): Command {
  return command
    .addOption(namespaceOption())
    .addOption(new Option('--target <name>', 'the target, as answers to events call it').makeOptionMandatory().argParser(nameOf))
    .addOption(new Option('--limit <n>', 'at most so many').argParser(limitOf))
}

function onLetters (command: Command): Command {
  return onTarget(command)
    .option('--id <ids...>', 'those with these ids, as the list has them')
    .option('--all', 'all of them, the oldest first')
}

function nameOf (name: string): string {
  if (!new RegExp(namePattern).test(name)) throw new InvalidArgumentError('expected letters, digits, "_" and "-".')
  return name
}

function limitOf (text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError('expected a number from 1 to 9999999.')
  return Number(text)
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
    if (!await redis.untilReady(connectWithin)) throw new UserError('Redis does not answer where REDIS_URL says')
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

/** Users are called what callers please: no terminal should obey that. */
function printable (text: string): string {
  return JSON.stringify(text).slice(1, -1)
}
