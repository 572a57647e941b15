import { registry, type Registry } from '../base/schema.ts'
import { appconfig } from './appconfig.ts'
import { evidently } from './evidently.ts'
import type { ExperimentMethod } from './experiment.ts'
import { interleave } from './interleave.ts'
import { weighted } from './weighted.ts'

/** Every method of assigning variations that a configuration may name, by its `method`. */
export const experimentMethods: Registry<ExperimentMethod> = registry<ExperimentMethod>(weighted, interleave, evidently, appconfig)
