/** The other workers of this process's primary. Each has its own memory, so changes are announced to all. */
export interface Peers {
  /** Sends a message to all others. Resolves with their answers, once all have answered or timed out. */
  tell: (topic: string, message: unknown) => Promise<unknown[]>
  /** Registers a handler of a topic's messages. Its return value is the answer. @returns a function that removes the handler */
  on: (topic: string, handle: Handler) => () => void
}

export type Handler = (message: never) => unknown

/** Peers of a process without other workers. */
export const noPeers: Peers = {
  tell: async () => [],
  on: () => () => {}
}
