import { eventTargetTypes } from './registry.ts'
import type { EventScope, EventTarget, EventTargetScope } from './target.ts'

/** A target's part of the configuration, as far as all kinds have it. */
type TargetConfig = { type: string, delivery?: string }

/** Targets, each by what it is called in an answer: its type, numbered from the second of a type on. */
export function namedTargets<T extends { type: string }> (configs: readonly T[]): Map<string, T> {
  const named = new Map<string, T>()
  for (const config of configs) {
    let name = config.type
    for (let n = 2; named.has(name); n++) name = `${config.type}-${n}`
    named.set(name, config)
  }
  return named
}

/** Opens targets, each under what it is called in an answer. */
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
