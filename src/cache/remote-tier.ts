import type { Entry } from './entry.ts'
import type { User } from './user-versions.ts'

/** The answer of a shared tier to a look-up of a key. */
export interface RemoteAnswer {
  /** The stored entry; absent if the tier has none, or one that an event of the user has outdated. */
  entry?: Entry | undefined
  /** The version of the user's events, to pass to `set` with an answer that is made now; undefined if no user's events matter. */
  version?: string | undefined
}

/** A tier that all instances share. It never fails a request: it answers in bounded time, or reports that it cannot. */
export interface RemoteTier {
  /**
   * Returns the entry of a key; undefined if the tier cannot be reached at the moment. Never rejects.
   * @param user the user whose events outdate the answer
   */
  get: (key: string, user: User | undefined) => Promise<RemoteAnswer | undefined>
  /**
   * Returns the version of a user's events at some moment after the call; undefined if the tier cannot be reached, or the user has none.
   * Calls in one turn of the event loop share one query. Never rejects.
   */
  versionOf: (user: User) => Promise<string | undefined>
  /** Stores an entry, in the background, until it may no longer be served. */
  set: (key: string, user: User | undefined, entry: Entry, version: string | undefined) => void
}
