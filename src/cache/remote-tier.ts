import type { Entry } from './entry.ts'
import type { User } from './user-versions.ts'

/** What a shared tier knows of a key. */
export interface RemoteAnswer {
  /** Absent where it has none, or one that an event of the user has outdated. */
  entry?: Entry | undefined
  /** The version of the user's events, to be given back with what is made now; undefined where no user's events matter. */
  version?: string | undefined
}

/** A tier that instances share. It is never fatal: it answers in bounded time, or says that it cannot. */
export interface RemoteTier {
  /** @param user whose events outdate the answer @returns undefined where it cannot be asked at the moment; never rejects */
  get: (key: string, user: User | undefined) => Promise<RemoteAnswer | undefined>
  /**
   * Returns the version of a user's events at some moment after the call; undefined where it cannot be asked, or the user has none. Calls
   * of one turn of the event loop share a question. Never rejects.
   */
  versionOf: (user: User) => Promise<string | undefined>
  /** Stores an entry until it is of no use any more. Nobody waits for it. */
  set: (key: string, user: User | undefined, entry: Entry, version: string | undefined) => void
}
