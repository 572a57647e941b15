import { openRedisLink, type RedisLink, type RedisLinkOptions } from '../cache/redis-link.ts'
import { openRedisChannels } from './redis-channels.ts'
import { openRedis } from './redis-client.ts'
import { answers } from './redis-probe.ts'
import { causeOf } from './redis-problems.ts'

export interface CacheLinkOptions extends Omit<RedisLinkOptions, 'client' | 'probe' | 'openChannels'> {
  /** Receives each problem that the operator has to correct, once: a missing permission, a wrong password. */
  onProblem: (problem: Error) => void
}

/** The timeout of a command, in ms. The link has a shorter limit for commands that a request waits for. */
const commandTimeout = 250
const socketTimeout = 1_000
/** The longest wait for an echo on the channels, in ms; after it, they count as dead. It is no longer than checks may pause. */
const longestSilence = 300
/** The timeout of a probe, in ms. */
const probeTimeout = 100

/** Opens the link of the cache to Redis: a client for commands, and the channels of announcements. It returns at once. */
export function openCacheLink (url: string, { onProblem, ...options }: CacheLinkOptions): RedisLink {
  const client = openRedis(url, { commandTimeout, socketTimeout, onProblem, longestPause: 100, connectTimeout: 500 })
  const probe = async (): Promise<boolean> => answers(url, probeTimeout)
  return openRedisLink({ ...options, onChange: (state, cause) => { options.onChange(state, causeOf(cause)) }, client, probe, openChannels: channels => openRedisChannels({ client, longestSilence, ...channels }) })
}
