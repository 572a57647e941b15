import { openRedisLink, type RedisLink, type RedisLinkOptions } from '../cache/redis-link.ts'
import { openRedisChannels } from './redis-channels.ts'
import { openRedis } from './redis-client.ts'
import { answers } from './redis-probe.ts'

export interface CacheLinkOptions extends Omit<RedisLinkOptions, 'client' | 'probe' | 'openChannels'> {
  /** Receives, once each, what the operator has to set right: a missing permission, a wrong password. */
  onProblem: (problem: Error) => void
}

/** The most that a command may take, in ms. The link itself waits for less where a request waits. */
const commandTimeout = 250
const socketTimeout = 1_000
/** An echo on the channels that takes longer, in ms, tells that nothing is heard: no longer than checks may pause. */
const longestSilence = 300
/** A probe that has no answer for so long, in ms, has failed. */
const probeTimeout = 100

/** Opens the link of the cache to Redis: a client for commands, and the channels of announcements. It returns at once. */
export function openCacheLink (url: string, { onProblem, ...options }: CacheLinkOptions): RedisLink {
  const client = openRedis(url, { commandTimeout, socketTimeout, onProblem, longestPause: 100, connectTimeout: 500 })
  const probe = async (): Promise<boolean> => answers(url, probeTimeout)
  return openRedisLink({ ...options, client, probe, openChannels: channels => openRedisChannels({ client, longestSilence, ...channels }) })
}
