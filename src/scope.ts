import { type Dispatcher } from 'undici'
import { type UserVersions } from './cache/user-versions.ts'
import { type ItemMetadataStore } from './metadata/store.ts'
import { type Lease, type Pool } from './pool.ts'
import { type Recommender } from './recommender/recommender.ts'

/** What lives longer than one configuration and is shared between them. */
export interface Resources {
  /** Where this instance keeps its files. */
  dataDir: string
  /** Epoch milliseconds. */
  now: () => number
  /** Told what went wrong in the background. */
  onError: (error: unknown) => void
  recommenders: Pool<Recommender>
  itemMetadata: Pool<ItemMetadataStore>
  /** SDK clients by service and region. */
  awsClients: Pool<{ destroy: () => void }>
  /** Connections to HTTP services. */
  http: Dispatcher
  userVersions: UserVersions
}

/** Where a part of a configuration opens what it needs; all that is held is released when that configuration retires. */
export interface Scope extends Resources {
  namespace: string
  hold: <T>(lease: Lease<T>) => T
}
