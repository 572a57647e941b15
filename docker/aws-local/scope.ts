import type { Catalog } from './state/catalog.ts'
import type { Configurations } from './state/configurations.ts'
import type { Features } from './state/features.ts'
import type { Model } from './state/model.ts'
import type { Secrets } from './state/secrets.ts'
import type { Worlds } from './state/worlds.ts'

/** A function or a model of the user's: what it throws is its own error. */
export type Handler = (payload: unknown) => unknown

/** What the services answer from. */
export interface Scope {
  /** Epoch milliseconds. */
  now: () => number
  newId: () => string
  model: Model
  catalog: Catalog
  worlds: Worlds
  secrets: Secrets
  configurations: Configurations
  /** The seconds after which AppConfig wants to be asked again. */
  pollInterval: number
  features: Features
  /** Lambda functions by name, for those that are not to do what all others do. */
  functions: Readonly<Record<string, Handler>>
  /** SageMaker endpoints by name, likewise. */
  endpoints: Readonly<Record<string, Handler>>
}
