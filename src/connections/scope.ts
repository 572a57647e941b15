import type { UserVersions } from '../cache/user-versions.ts'
import type { Peers } from './peers.ts'
import type { AcquireOptions, Lease, Pool } from './pool.ts'
import type { Revisions } from './revisions.ts'
import type { WebhookSecrets } from './webhook-secrets.ts'

/** Opened parts that live longer than one configuration. The floors above add their own: see `plan/resources.ts`. */
export interface Connections {
  /** Where this instance keeps its files. */
  dataDir: string
  /** Absent: this process has no Redis. */
  redisUrl?: string | undefined
  /** What webhooks are signed with; absent: this process has none. */
  webhookSecrets?: WebhookSecrets | undefined
  /** Epoch milliseconds. */
  now: () => number
  /** Told what went wrong in the background. */
  onError: (error: unknown) => void
  /** Everything that is open: stores, recommenders, clients. */
  pool: Pool
  userVersions: UserVersions
  revisions: Revisions
  /** The other processes that serve on this machine. */
  peers: Peers
}

/** Where a part of a configuration opens what it needs. */
export interface Scope extends Omit<Connections, 'pool'> {
  namespace: string
  /** What is open under the key, or else what `open` gives; held until this configuration retires, and closed when none holds it. */
  share: <T>(key: string, open: () => Promise<T>, close: (value: T) => Promise<void> | void, options?: AcquireOptions) => Promise<T>
}

/** Keeps what a configuration holds open. A scope passes on everything that the resources hold, and shares the pool's entries. */
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
