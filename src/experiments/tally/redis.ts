import type { RedisCommands } from '../../connections/redis-client.ts'
import { fieldOf, mostCredits, totalsOf, type Entry, type TallyStore } from './store.ts'

/** The part of a Redis connection that the store uses. */
export interface TallyConnection {
  readonly run: <T>(command: (redis: RedisCommands) => Promise<T>, within?: number) => Promise<T>
}

/** The most entries that one script counts: other commands wait meanwhile. */
const slice = 100

/** The longest wait for a script, in ms. Nobody's request waits for it. */
const patience = 1_000

/**
 * Counts entries. KEYS: the totals of the experiment, then the user's record for each entry. ARGV: attribution in ms, most credits, then
 * six for each entry: kind, variation or metric, value, cap, credit id, and the separator of fields.
 * A record holds the first variation (`v`), whether there was another one (`m`), the number of its credits (`n`), for each metric what
 * its credits sum up to (`s` + metric), and their ids (`c` + id).
 */
const countEntries = `
local totals, ttl, most, sep = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3]
for i = 2, #KEYS do
  local user = KEYS[i]
  local at = 4 + (i - 2) * 5
  local kind, name, value, cap, id = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]), ARGV[at + 4]
  local first = redis.call('HGET', user, 'v')
  if kind == 'exposure' then
    if not first then
      redis.call('HSET', user, 'v', name)
      redis.call('HINCRBY', totals, 'users' .. sep .. name, 1)
    elseif first ~= name and redis.call('HSETNX', user, 'm', '1') == 1 then
      redis.call('HINCRBY', totals, 'multiple', 1)
    end
    redis.call('PEXPIRE', user, ttl)
  elseif tonumber(redis.call('HGET', user, 'n') or 0) < most and redis.call('HSETNX', user, 'c' .. id, '1') == 1 then
    redis.call('HINCRBY', user, 'n', 1)
    if not first then
      redis.call('HINCRBY', totals, 'unexposed' .. sep .. name, 1)
      redis.call('PEXPIRE', user, ttl)
    else
      local before = tonumber(redis.call('HGET', user, 's' .. name) or 0)
      local after = math.min(cap, before + value)
      redis.call('HSET', user, 's' .. name, string.format('%.17g', after))
      local place = sep .. name .. sep .. first
      local converted = (after ~= 0 and 1 or 0) - (before ~= 0 and 1 or 0)
      if converted ~= 0 then redis.call('HINCRBY', totals, 'converted' .. place, converted) end
      redis.call('HINCRBYFLOAT', totals, 'sum' .. place, string.format('%.17g', after - before))
      redis.call('HINCRBYFLOAT', totals, 'squares' .. place, string.format('%.17g', after * after - before * before))
    end
  end
end
return 1`

/** Counts in Redis, for all instances together. A script counts each batch as a whole, or not at all. */
export function createRedisTally ({ attribution, redis }: { attribution: number, redis: TallyConnection }): TallyStore {
  return {
    async count (experiment, entries) {
      for (let i = 0; i < entries.length; i += slice) {
        const some = entries.slice(i, i + slice)
        const keys = [totalsKey(experiment), ...some.map(({ user }) => `${totalsKey(experiment)}:${user}`)]
        await redis.run(async commands => commands.eval(countEntries, keys.length, ...keys, attribution, mostCredits, fieldOf('', ''), ...some.flatMap(argumentsOf)), patience)
      }
    },
    async read (experiment) {
      const fields = await redis.run(async commands => commands.hgetall(totalsKey(experiment)), patience)
      return totalsOf(Object.entries(fields).map(([field, value]) => [field, Number(value)]))
    }
  }
}

function argumentsOf (entry: Entry): Array<string | number> {
  if (entry.kind === 'exposure') return [entry.kind, entry.variation, 0, 0, '']
  return [entry.kind, entry.metric, entry.value, entry.cap ?? Number.MAX_VALUE, entry.id]
}

/** The braces keep all keys of an experiment in one slot of a cluster, as scripts require. */
function totalsKey (experiment: string): string {
  return `personalization:experiment:{${experiment}}`
}
