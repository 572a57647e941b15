import { describe, type Resources } from './resources.ts'
import { sampleWorld, type World } from './world.ts'

/** The resources in Personalize, which a test or the control can replace. */
export interface Worlds {
  readonly resources: Resources
  set: (world: World) => void
}

/** Creates the holder of the current world. */
export function createWorlds (world: World = sampleWorld): Worlds {
  let resources = describe(world)
  return {
    get resources () { return resources },
    set (world) { resources = describe(world) }
  }
}
