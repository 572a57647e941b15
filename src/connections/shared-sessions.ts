/** The events of sessions that too many users share: most often, a client that sends a constant such as "undefined". */
export interface SharedSessions {
  /** Counts an event that names such a session. */
  count: (namespace: string, sessionId: string) => void
  /** Returns the counts. The sessions beyond the first ten of a namespace are counted together, without a name. */
  all: () => Iterable<{ namespace: string, sessionId: string | undefined, events: number }>
}

/** Sessions that are named, at most, for each namespace: metrics and log lines must not grow with what callers send. */
const mostNamed = 10

/** The longest part of a session's id that is told. */
const longestName = 64

/** Creates the counts. @param onFirst receives each session that is counted by name for the first time */
export function createSharedSessions (onFirst: (namespace: string, sessionId: string) => void): SharedSessions {
  const counts = new Map<string, Map<string | undefined, number>>()
  return {
    count (namespace, sessionId) {
      const ofNamespace = counts.get(namespace) ?? new Map<string | undefined, number>()
      counts.set(namespace, ofNamespace)
      const name = sessionId.slice(0, longestName)
      const isNew = !ofNamespace.has(name)
      const counted = isNew && ofNamespace.size >= mostNamed ? undefined : name
      ofNamespace.set(counted, (ofNamespace.get(counted) ?? 0) + 1)
      if (isNew && counted !== undefined) onFirst(namespace, name)
    },
    * all () {
      for (const [namespace, ofNamespace] of counts) {
        for (const [sessionId, events] of ofNamespace) yield { namespace, sessionId, events }
      }
    }
  }
}
