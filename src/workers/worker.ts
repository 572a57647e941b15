import type { Handler, Peers } from '../connections/peers.ts'
import type { Message } from './messages.ts'

export interface Worker {
  peers: Peers
  /** Resolves with whether this worker has to listen before it can serve. */
  welcomed: Promise<boolean>
  /** Tells the primary that this worker can serve. */
  serving: (port: number) => void
  /** Resolves when all listening workers can serve. */
  allServing: Promise<void>
  /** Resolves when this worker has to end: the primary said so, or is gone. */
  stopped: Promise<void>
}

/**
 * Connects a worker process to its primary.
 * @param onError receives errors of message handlers
 */
export function joinPrimary (onError: (error: unknown) => void): Worker {
  const handlers = new Map<string, Set<Handler>>()
  const waiting = new Map<number, (answers: unknown[]) => void>()
  let told = 0

  const heard = async <T extends Message['type']>(type: T): Promise<Message & { type: T }> => new Promise(resolve => {
    process.on('message', (message: Message) => { if (message.type === type) resolve(message as Message & { type: T }) })
  })
  const welcomed = heard('welcome').then(({ early }) => early)
  const allServing = heard('all-serving').then(() => {})
  const gone = new Promise<void>(resolve => { process.once('disconnect', resolve) })
  const stopped = Promise.race([heard('stop').then(() => {}), gone])

  async function handle ({ id, topic, message }: Message & { type: 'told' }): Promise<void> {
    let answer: unknown
    try {
      for (const handler of handlers.get(topic) ?? []) answer = await handler(message as never)
    } catch (error) {
      onError(error)
    }
    send({ type: 'answer', id, answer })
  }

  process.on('message', (message: Message) => {
    if (message.type === 'told') {
      void handle(message)
    } else if (message.type === 'answers') {
      waiting.get(message.id)?.(message.answers)
      waiting.delete(message.id)
    }
  })
  process.once('disconnect', () => {
    for (const resolve of waiting.values()) resolve([])
  })
  send({ type: 'joined' })

  return {
    peers: {
      tell: async (topic, message) => new Promise(resolve => {
        if (!process.connected) return resolve([])
        const id = ++told
        waiting.set(id, resolve)
        send({ type: 'tell', id, topic, message })
      }),
      on (topic, handle) {
        const known = handlers.get(topic) ?? new Set()
        handlers.set(topic, known.add(handle))
        return () => { known.delete(handle) }
      }
    },
    welcomed,
    allServing,
    serving (port) { send({ type: 'serving', port }) },
    stopped
  }
}

function send (message: Message): void {
  if (process.connected) process.send!(message, undefined, {}, () => {})
}
