export interface Secret {
  text: string
  versionId: string
  /** Epoch milliseconds. */
  createdAt: number
}

export interface Secrets {
  put: (name: string, text: string) => void
  get: (name: string) => Secret | undefined
}

/** Creates an empty set of secrets. */
export function createSecrets (now: () => number, newId: () => string): Secrets {
  const secrets = new Map<string, Secret>()
  return {
    put (name, text) { secrets.set(name, { text, versionId: newId(), createdAt: now() }) },
    get: name => secrets.get(name)
  }
}
