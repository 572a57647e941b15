import Type, { type Static } from 'typebox'
import { strict } from '../../src/base/schema.ts'
import { canFail, failureNames } from './failures.ts'
import type { Service } from './service.ts'

/** A misbehaviour of a service. */
export const BehaviourSchema = strict({
  latencyMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 600_000, description: 'before each answer' })),
  throttleShare: Type.Optional(Type.Number({ minimum: 0, maximum: 1, description: 'of the calls; of the records where they come in batches' })),
  failure: Type.Optional(Type.Enum([...failureNames])),
  times: Type.Optional(Type.Integer({ minimum: 1, description: 'for the next so many calls only' }))
})

export type Behaviour = Static<typeof BehaviourSchema>

export interface Behaviours {
  /** Makes a service misbehave. @throws RangeError for an unknown service, or a failure that it does not have */
  set: (service: string, behaviour: Behaviour) => void
  /** Makes one service, or all services, behave normally again. */
  reset: (service?: string) => void
  /** Returns the behaviour for the next call of a service, and counts the call. */
  next: (service: string) => Behaviour
}

/** Creates the behaviours of services, all normal at first. */
export function createBehaviours (services: readonly Service[]): Behaviours {
  const current = new Map<string, Behaviour>()

  function known (name: string): Service {
    const service = services.find(service => service.name === name)
    if (service === undefined) throw new RangeError(`there is no service "${name}"; expected one of ${services.map(({ name }) => name).join(', ')}`)
    return service
  }

  return {
    set (name, behaviour) {
      const service = known(name)
      if (behaviour.failure !== undefined && !canFail(service, behaviour.failure)) throw new RangeError(`${name} knows no "${behaviour.failure}"`)
      current.set(name, behaviour)
    },
    reset (name) {
      if (name === undefined) current.clear()
      else current.delete(known(name).name)
    },
    next (name) {
      const behaviour = current.get(name) ?? {}
      if (behaviour.times !== undefined) {
        if (behaviour.times > 1) current.set(name, { ...behaviour, times: behaviour.times - 1 })
        else current.delete(name)
      }
      return behaviour
    }
  }
}
