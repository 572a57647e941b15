import { eventTargetTypes } from './registry.ts'
import type { EventScope, EventTarget, EventTargetScope } from './target.ts'

/** The keys that all kinds of targets have in the configuration. */
type TargetConfig = { type: string, delivery?: string }

/** Returns targets by their names in answers: the type, with a number from the second target of a type on. */
export function namedTargets<T extends { type: string }> (configs: readonly T[]): Map<string, T> {
  const named = new Map<string, T>()
  for (const config of configs) {
    let name = config.type
    for (let n = 2; named.has(name); n++) name = `${config.type}-${n}`
    named.set(name, config)
  }
  return named
}

/** Opens targets. @returns them by their names in answers */
export async function openEventTargets (configs: readonly TargetConfig[], scope: EventScope): Promise<Map<string, EventTarget>> {
  const targets = new Map<string, EventTarget>()
  for (const [target, config] of namedTargets(configs)) targets.set(target, await openTarget(config, { ...scope, target }))
  return targets
}

async function openTarget (config: TargetConfig, scope: EventTargetScope): Promise<EventTarget> {
  const opened = await eventTargetTypes.get(config.type)!.open(config, scope)
  if (config.delivery !== 'queued') return opened
  const { openQueued } = await import('./queued/queued.ts')
  return openQueued(opened, config, scope)
}
