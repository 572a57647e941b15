import type { Connections, Scope } from '../connections/scope.ts'
import type { MetadataScope } from '../metadata/store-type.ts'
import type { EventScope } from '../targets/target.ts'

/** What the configurations of a process share. */
export interface Resources extends Connections, Pick<MetadataScope, 'metadataStats'>, Pick<EventScope, 'eventStats'> {
  /** Whether to open event targets: not where requests are only explained. */
  delivers: boolean
}

/** Where a part of a configuration opens what it needs. */
export type PlanScope = Scope & MetadataScope & EventScope
