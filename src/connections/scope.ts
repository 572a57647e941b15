import type { UserVersions } from '../cache/user-versions.ts'
import type { Peers } from './peers.ts'
import type { AcquireOptions, Lease, Pool } from './pool.ts'
import type { Revisions } from './revisions.ts'
import type { SharedSessions } from './shared-sessions.ts'
import type { WebhookSecrets } from './webhook-secrets.ts'

/** Opened resources that outlive one configuration. The floors above add their own: see `plan/resources.ts`. */
export interface Connections {
  /** The directory of this instance's files. */
  dataDir: string
  /** Absent: this process has no Redis. */
  redisUrl?: string | undefined
  /** Keys that sign webhooks; absent: this process has none. */
  webhookSecrets?: WebhookSecrets | undefined
  /** Epoch milliseconds. */
  now: () => number
  /** Milliseconds on a clock that nobody sets (see base/steady-time.ts), for ages. */
  steady: () => number
  /** Receives errors of background work. */
  onError: (error: unknown) => void
  /** Open resources: stores, recommenders, clients. */
  pool: Pool
  userVersions: UserVersions
  revisions: Revisions
  sharedSessions: SharedSessions
  /** The other processes that serve on this machine. */
  peers: Peers
}

/** The connections as one part of a configuration sees them: it opens the resources that it needs through `share`. */
export interface Scope extends Omit<Connections, 'pool'> {
  namespace: string
  /** Returns the resource with the key, opening it if necessary. The configuration holds it until it retires. Without holders it closes. */
  share: <T>(key: string, open: () => Promise<T>, close: (value: T) => Promise<void> | void, options?: AcquireOptions) => Promise<T>
}

/** Creates the holder of a configuration's leases. Its scopes expose `resources` and share entries of the pool; `release` ends the leases. */
export function createHolder<R extends Connections> ({ pool, ...resources }: R): { scopeOf: (namespace: string) => Omit<R, 'pool'> & Scope, release: () => void } {
  const leases: Array<Lease<unknown>> = []
  const share: Scope['share'] = async (key, open, close, options) => {
    const lease = await pool.acquire(key, open, close, options)
    leases.push(lease)
    return lease.value
  }
  return {
    scopeOf: namespace => ({ ...resources, namespace, share }),
    release () { for (const lease of leases.splice(0)) lease.release() }
  }
}
