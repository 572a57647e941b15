import { describe, type Resources } from './resources.ts'
import { sampleWorld, type World } from './world.ts'

export interface Worlds {
  readonly resources: Resources
  set: (world: World) => void
}

export function createWorlds (world: World = sampleWorld): Worlds {
  let resources = describe(world)
  return {
    get resources () { return resources },
    set (world) { resources = describe(world) }
  }
}
