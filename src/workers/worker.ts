import type { Handler, Peers } from '../peers.ts'
import type { Message } from './messages.ts'

export interface Worker {
  peers: Peers
  /** Tells the primary that requests may come. */
  serving: (port: number) => void
}

/**
 * The worker's side of its primary.
 * @param onStop told when it is to end, or when the primary is gone
 */
export function joinPrimary (onStop: (signal: string) => void): Worker {
  const handlers = new Map<string, Set<Handler>>()
  const waiting = new Map<number, (answers: unknown[]) => void>()
  let told = 0

  process.on('message', (message: Message) => {
    if (message.type === 'told') {
      const answers = [...handlers.get(message.topic) ?? []].map(handle => handle(message.message as never))
      Promise.all(answers).then(([answer]) => { send({ type: 'answer', id: message.id, answer }) }, () => { send({ type: 'answer', id: message.id, answer: undefined }) })
    } else if (message.type === 'answers') {
      waiting.get(message.id)?.(message.answers)
      waiting.delete(message.id)
    } else if (message.type === 'stop') {
      onStop(message.signal)
    }
  })
  process.once('disconnect', () => {
    for (const [, resolve] of waiting) resolve([])
    onStop('disconnect')
  })

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
    serving (port) { send({ type: 'ready', port }) }
  }
}

function send (message: Message): void {
  if (process.connected) process.send!(message, undefined, {}, () => {})
}
