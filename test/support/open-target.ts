import type { Test } from 'tap'
import { eventTargetTypes } from '../../src/targets/registry.ts'
import type { EventTarget } from '../../src/targets/target.ts'
import { createHolder } from '../../src/connections/scope.ts'
import type { Resources } from '../../src/plan/resources.ts'
import { testResources, type TestResources } from './test-resources.ts'

export interface OpenTarget {
  target: EventTarget
  resources: TestResources
  /** Closes the target and its resources. */
  close: () => Promise<void>
}

/** Opens a target as a configuration does. It closes with the test. */
export async function openTarget (t: Test, config: { type: string, [key: string]: unknown }, more: Partial<Resources> = {}): Promise<OpenTarget> {
  const resources = testResources(t.testdir())
  t.teardown(resources.close)
  const { scopeOf } = createHolder({ ...resources, ...more })
  const target = await eventTargetTypes.get(config.type)!.open(config, { ...scopeOf('shop'), target: config.type })
  return { target, resources, close: resources.close }
}
