import type { Catalog } from './state/catalog.ts'
import type { Configurations } from './state/configurations.ts'
import type { Features } from './state/features.ts'
import type { Model } from './state/model.ts'
import type { Secrets } from './state/secrets.ts'
import type { Worlds } from './state/worlds.ts'

/** A function or model that the user supplies. An exception becomes an error of the function or model. */
export type Handler = (payload: unknown) => unknown

/** The state and settings that the services share. */
export interface Scope {
  /** Epoch milliseconds. */
  now: () => number
  newId: () => string
  model: Model
  catalog: Catalog
  worlds: Worlds
  secrets: Secrets
  configurations: Configurations
  /** The poll interval that AppConfig returns, in seconds. */
  pollInterval: number
  features: Features
  /** Lambda functions by name. A function that is absent answers from the model. */
  functions: Readonly<Record<string, Handler>>
  /** SageMaker endpoints by name. An endpoint that is absent answers from the model. */
  endpoints: Readonly<Record<string, Handler>>
}
