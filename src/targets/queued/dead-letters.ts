import type { RedisCommands } from '../../connections/redis-client.ts'
import type { EventBody } from '../body.ts'
import type { StreamKeys } from './stream.ts'

/** A body that a consumer gave up, as an operator sees it. */
export interface DeadLetter {
  readonly id: string
  /** The time at which a consumer gave it up, in epoch milliseconds. */
  readonly time: number
  readonly tries: number
  readonly reason: string
  /** The user of the events, or else their session; null if the body cannot be read. */
  readonly user: string | null
  readonly events: number
}

/** The letters to act on: those with the given ids, or the given number of the oldest ones. */
export type Choice = { readonly ids: readonly string[] } | { readonly oldest: number }

/** The most letters of one command, as Redis serves no other command meanwhile. */
const atOnce = 200

/** Moves letters. A script runs as one step, so that a letter is always in one of the two streams. */
const putBack = `
  local count = 0
  for i = 1, #ARGV do
    local letter = redis.call('XRANGE', KEYS[1], ARGV[i], ARGV[i])[1]
    if letter then
      local fields = letter[2]
      for field = 1, #fields, 2 do
        if fields[field] == 'body' then redis.call('XADD', KEYS[2], '*', 'body', fields[field + 1]) end
      end
      count = count + redis.call('XDEL', KEYS[1], ARGV[i])
    end
  end
  return count`

/** Returns the oldest letters, at most `limit`. */
export async function listLetters (redis: RedisCommands, { dead }: StreamKeys, limit: number): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = []
  let from = '-'
  while (letters.length < limit) {
    const page = await redis.xrange(dead, from, '+', 'COUNT', Math.min(atOnce, limit - letters.length))
    letters.push(...page.map(([id, fields]) => letterOf(id, fields)))
    if (page.length === 0) break
    from = `(${page.at(-1)![0]}`
  }
  return letters
}

/** Moves letters to the end of the stream of waiting bodies. @returns the number of moved letters */
export async function retryLetters (redis: RedisCommands, keys: StreamKeys, choice: Choice): Promise<number> {
  return forEach(redis, keys, choice, async ids => await redis.eval(putBack, 2, keys.dead, keys.waiting, ...ids) as number)
}

/** Deletes letters permanently. @returns the number of deleted letters */
export async function dropLetters (redis: RedisCommands, keys: StreamKeys, choice: Choice): Promise<number> {
  return forEach(redis, keys, choice, async ids => redis.xdel(keys.dead, ...ids))
}

/** Calls `act` with batches of the chosen letters, without letters that arrive meanwhile. @returns the sum of the counts */
async function forEach (redis: RedisCommands, { dead }: StreamKeys, choice: Choice, act: (ids: readonly string[]) => Promise<number>): Promise<number> {
  let count = 0
  if ('ids' in choice) {
    for (let i = 0; i < choice.ids.length; i += atOnce) count += await act(choice.ids.slice(i, i + atOnce))
    return count
  }
  const [[last] = ['-']] = await redis.xrevrange(dead, '+', '-', 'COUNT', 1)
  while (count < choice.oldest) {
    const page = await redis.xrange(dead, '-', last, 'COUNT', Math.min(atOnce, choice.oldest - count))
    if (page.length === 0) break
    count += await act(page.map(([id]) => id))
  }
  return count
}

function letterOf (id: string, fields: readonly string[]): DeadLetter {
  const { body = '', reason = '', tries, time } = Object.fromEntries(Array.from({ length: fields.length >> 1 }, (_, i) => [fields[2 * i], fields[2 * i + 1]])) as Record<string, string>
  return { id, time: Number(time), tries: Number(tries), reason, ...contentOf(body) }
}

function contentOf (text: string): Pick<DeadLetter, 'user' | 'events'> {
  try {
    const { userId, sessionId, events } = JSON.parse(text) as Partial<EventBody>
    return { user: userId ?? sessionId ?? null, events: events?.length ?? 0 }
  } catch {
    return { user: null, events: 0 }
  }
}
