/** The other workers of this process's primary: each has a memory of its own, and has to be told. */
export interface Peers {
  /** Hands a message to all others. Resolves with what each of them answered, once all have, or have had their time. */
  tell: (topic: string, message: unknown) => Promise<unknown[]>
  /** Handles what others tell under a topic; what it returns is the answer. @returns what ends that */
  on: (topic: string, handle: Handler) => () => void
}

export type Handler = (message: never) => unknown

/** For a process that is alone. */
export const noPeers: Peers = {
  tell: async () => [],
  on: () => () => {}
}
