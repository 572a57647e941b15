import type { RedisCommands } from '../../connections/redis-client.ts'
import { contestedOf, fieldOf, mostCredits, mostLists, totalsOf, type Entry, type ServedList, type Teams, type TallyStore } from './store.ts'

/** The part of a Redis connection that the store uses. */
export interface TallyConnection {
  readonly run: <T>(command: (redis: RedisCommands) => Promise<T>, within?: number) => Promise<T>
}

/** The most entries that one script counts: other commands wait meanwhile. */
const slice = 100

/** The longest wait for a script, in ms. Nobody's request waits for it. */
const patience = 1_000

/**
 * Counts entries. KEYS: the totals of the experiment, then the user's record for each entry. ARGV: attribution in ms, most credits, most
 * lists, the separator of fields, and then seven for each entry: for an exposure its kind, variation, and the list's id, text, number of
 * contested items and of all; for a credit its kind, metric, value, cap, credit id, the variation that it proves, and whether it is signed.
 * A record holds the first variation (`v`), whether there was another one (`m`), the number of its credits (`n`), for each metric the sum
 * of its credits (`s` + metric), their ids (`c` + id), the number of its lists (`k`), their texts (`l` + id), and the ids of the last
 * ones (`r` + number modulo most).
 */
const countEntries = `
local totals, ttl, mostCredits, mostLists, sep = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]

local function expose(user, first, name)
  if not first then
    redis.call('HSET', user, 'v', name)
    redis.call('HINCRBY', totals, 'users' .. sep .. name, 1)
  elseif first ~= name and redis.call('HSETNX', user, 'm', '1') == 1 then
    redis.call('HINCRBY', totals, 'multiple', 1)
  end
  redis.call('PEXPIRE', user, ttl)
end

local function remember(user, id, text, contested, all)
  if redis.call('HSETNX', user, 'l' .. id, text) == 0 then return end
  local place = 'r' .. ((redis.call('HINCRBY', user, 'k', 1) - 1) % mostLists)
  local old = redis.call('HGET', user, place)
  if old then redis.call('HDEL', user, 'l' .. old) end
  redis.call('HSET', user, place, id)
  if contested ~= '' then
    redis.call('HINCRBY', totals, 'positions' .. sep .. 'contested', contested)
    redis.call('HINCRBY', totals, 'positions' .. sep .. 'all', all)
  end
end

local function sign(value)
  return value > 0 and 1 or value < 0 and -1 or 0
end

local function credit(user, first, metric, value, cap, signed)
  local before = tonumber(redis.call('HGET', user, 's' .. metric) or 0)
  local after = math.min(cap, before + value)
  redis.call('HSET', user, 's' .. metric, string.format('%.17g', after))
  local was, is = before, after
  if signed then was, is = sign(before), sign(after) end
  local place = sep .. metric .. sep .. first
  local converted = (is ~= 0 and 1 or 0) - (was ~= 0 and 1 or 0)
  if converted ~= 0 then redis.call('HINCRBY', totals, 'converted' .. place, converted) end
  redis.call('HINCRBYFLOAT', totals, 'sum' .. place, string.format('%.17g', is - was))
  redis.call('HINCRBYFLOAT', totals, 'squares' .. place, string.format('%.17g', is * is - was * was))
end

for i = 2, #KEYS do
  local user, at = KEYS[i], 5 + (i - 2) * 7
  local first = redis.call('HGET', user, 'v')
  if ARGV[at] == 'exposure' then
    if ARGV[at + 2] ~= '' then remember(user, ARGV[at + 2], ARGV[at + 3], ARGV[at + 4], ARGV[at + 5]) end
    expose(user, first, ARGV[at + 1])
  elseif tonumber(redis.call('HGET', user, 'n') or 0) < mostCredits and redis.call('HSETNX', user, 'c' .. ARGV[at + 4], '1') == 1 then
    redis.call('HINCRBY', user, 'n', 1)
    if not first and ARGV[at + 5] ~= '' then
      first = ARGV[at + 5]
      expose(user, nil, first)
    end
    if first then
      credit(user, first, ARGV[at + 1], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]), ARGV[at + 6] == '1')
    else
      redis.call('HINCRBY', totals, 'unexposed' .. sep .. ARGV[at + 1], 1)
      redis.call('PEXPIRE', user, ttl)
    end
  end
end
return 1`

/** Counts in Redis, for all instances together. A script counts each batch as a whole, or not at all. */
export function createRedisTally (redis: TallyConnection): TallyStore {
  return {
    async count ({ id, attribution }, entries) {
      for (let i = 0; i < entries.length; i += slice) {
        const some = entries.slice(i, i + slice)
        const keys = [totalsKey(id), ...some.map(({ user }) => userKey(id, user))]
        await redis.run(async commands => commands.eval(countEntries, keys.length, ...keys, attribution, mostCredits, mostLists, fieldOf('', ''), ...some.flatMap(argumentsOf)), patience)
      }
    },
    async read (id) {
      const fields = await redis.run(async commands => commands.hgetall(totalsKey(id)), patience)
      return totalsOf(Object.entries(fields).map(([field, value]) => [field, Number(value)]))
    },
    async lists (id, user) {
      const key = userKey(id, user)
      const [count, ...ids] = await redis.run(async commands => commands.hmget(key, 'k', ...Array.from({ length: mostLists }, (_, i) => `r${i}`)))
      const newest = Math.max(0, Number(count ?? 0) - 1)
      const known = Array.from({ length: mostLists }, (_, i) => ids[((newest - i) % mostLists + mostLists) % mostLists]).filter(id => id != null)
      if (known.length === 0) return []
      const texts = await redis.run(async commands => commands.hmget(key, ...known.map(id => `l${id}`)))
      return known.flatMap((recommendationId, i) => texts[i] == null ? [] : [listOf(recommendationId, texts[i])])
    }
  }
}

function argumentsOf (entry: Entry): Array<string | number> {
  if (entry.kind === 'credit') {
    const { kind, metric, value, cap = Number.MAX_VALUE, id, variation = '', signed = false } = entry
    return [kind, metric, value, cap, id, variation, signed ? 1 : 0]
  }
  const { kind, variation, list } = entry
  if (list === undefined) return [kind, variation, '', '', '', '', '']
  const text = JSON.stringify([list.length, list.teams])
  return [kind, variation, list.recommendationId, text, list.teams === undefined ? '' : contestedOf(list), list.length, '']
}

function listOf (recommendationId: string, text: string): ServedList {
  const [length, teams] = JSON.parse(text) as [number, Teams | null]
  return { recommendationId, length, ...(teams === null ? {} : { teams }) }
}

/** The braces keep all keys of an experiment in one slot of a cluster, as scripts require. */
function totalsKey (id: string): string {
  return `personalization:experiment:{${id}}`
}

function userKey (id: string, user: string): string {
  return `${totalsKey(id)}:${user}`
}
