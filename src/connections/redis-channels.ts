import { setTimeout } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { UserError } from '../base/user-error.ts'
import type { RedisClient } from './redis-client.ts'

/** Channels on one server, which all publishers and subscribers use, so that messages arrive in the order of publishing. */
export interface RedisChannels {
  /** Whether this process is subscribed to all channels. */
  readonly isOpen: boolean
  /** Publishes at the server that owns the channel. @returns the number of subscribers there. @throws the error of Redis */
  publish: (channel: string, message: string) => Promise<number>
  /**
   * Resolves when `onMessage` has received every message that was published before. It proves that this process is subscribed at the
   * server that `publish` reaches now. If it cannot prove that, it disconnects, and the channels open again at that server.
   * @throws Error if it cannot prove that
   */
  verify: () => Promise<void>
  close: () => void
}

export interface RedisChannelsOptions {
  client: RedisClient
  /** A channel to which only this process subscribes. The other channels have the same hash tag. */
  own: string
  /** The channels that instances share. */
  shared: readonly string[]
  onMessage: (channel: string, message: string) => void
  /** Called when this process is subscribed to all channels. It does not receive earlier messages. */
  onOpen: () => void
  /** Called when messages may be lost from now on: the connection broke, or the channels have moved to another server. */
  onClose: () => void
  /** The pause between two attempts, in ms. */
  pause?: number
  /** The longest time that `verify` waits for its message, in ms. After that, the connection counts as dead and is replaced. */
  longestSilence?: number
}

/**
 * Opens channels on a separate connection. In a cluster, they are sharded channels at the node that owns the slot of their hash tag,
 * because plain messages reach other nodes in any order. Sharded channels need Redis 7 or Valkey. Until `close`, the channels open again
 * after the connection breaks, after the slot moves, and after a failover.
 */
export function openRedisChannels ({ client, own, shared, onMessage, onOpen, onClose, pause = 50, longestSilence = 1_000 }: RedisChannelsOptions): RedisChannels {
  const echo = `${own}:echo`
  const channels = [own, echo, ...shared]
  const closing = new AbortController()
  /** The callbacks of the `verify` calls that wait for an echo, by its text. */
  const waiting = new Map<string, () => void>()
  let listener: Redis | undefined
  let isOpen = false
  let count = 0

  const hear = (channel: string, message: string): void => {
    if (channel === echo) waiting.get(message)?.()
    else onMessage(channel, message)
  }

  async function listen (): Promise<void> {
    if (!await client.untilReady() || closing.signal.aborted) return
    const opened = listener = client.connectToOwner(own)
    if (opened === undefined) return client.refresh()
    try {
      opened.on('message', hear).on('smessage', hear)
      const over = new Promise(resolve => { opened.once('moved', resolve).once('end', resolve) })
      await opened.connect()
      await (client.isCluster ? opened.ssubscribe(...channels) : opened.subscribe(...channels))
      isOpen = true
      onOpen()
      await over
    } catch (error) {
      if (/unknown command/i.test(String(error))) client.report(new UserError('a cluster has to know sharded channels (SSUBSCRIBE): Redis 7 or later, or Valkey'))
    } finally {
      opened.disconnect()
      if (isOpen) {
        isOpen = false
        onClose()
      }
      client.refresh()
    }
  }

  async function listenAgainAndAgain (): Promise<void> {
    while (!closing.signal.aborted) {
      await listen()
      await setTimeout(pause, undefined, { signal: closing.signal }).catch(() => {})
    }
  }
  void listenAgainAndAgain()

  const publish: RedisChannels['publish'] = async (channel, message) => {
    const { commands, isCluster } = client
    return isCluster ? await commands.spublish(channel, message) as number : commands.publish(channel, message)
  }

  return {
    get isOpen () { return isOpen },
    publish,
    async verify () {
      const verified = listener
      if (!isOpen || verified === undefined) throw new Error('the channels are not listened to')
      const message = String(++count)
      let lost = (): void => {}
      const heard = new Promise<boolean>(resolve => {
        waiting.set(message, () => { resolve(true) })
        lost = () => { resolve(false) }
        verified.once('close', lost)
      })
      const over = new AbortController()
      try {
        const listeners = await publish(echo, message)
        if (listeners > 0 && await Promise.race([heard, setTimeout(longestSilence, false, { signal: over.signal })])) return
        verified.disconnect()
        throw new Error(listeners === 0 ? 'the channels are listened to at another server' : 'the connection of the channels leads nowhere')
      } finally {
        waiting.delete(message)
        verified.off('close', lost)
        over.abort()
      }
    },
    close () {
      closing.abort()
      listener?.disconnect()
    }
  }
}
