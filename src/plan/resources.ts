import type { Connections, Scope } from '../connections/scope.ts'
import type { ExperimentResources } from '../experiments/experiment.ts'
import type { MetadataScope } from '../metadata/store-type.ts'
import type { EventScope } from '../targets/target.ts'

/** The resources that all configurations of a process share. */
export interface Resources extends Connections, Pick<MetadataScope, 'metadataStats' | 'itemTables'>, Pick<EventScope, 'eventStats'>, ExperimentResources {
  /** Whether to open event targets; false in a process that only explains requests. */
  delivers: boolean
}

/** The scope in which a part of a configuration opens its resources. */
export type PlanScope = Scope & MetadataScope & EventScope & ExperimentResources
