import Type from 'typebox'
import { objectIn } from '../input.ts'
import { restFaults, restJson } from '../protocol.ts'
import type { Scope } from '../scope.ts'
import { operation, type Service } from '../service.ts'

const entity = {
  entityId: Type.String({ minLength: 1, maxLength: 512 }),
  evaluationContext: Type.Optional(Type.String({ description: 'the JSON text of an object' }))
}
const EvaluateSchema = Type.Object(entity)
const BatchSchema = Type.Object({
  requests: Type.Array(Type.Object({ ...entity, feature: Type.String({ minLength: 1, maxLength: 127 }) }), { minItems: 1, maxItems: 20 })
})
const EventsSchema = Type.Object({
  events: Type.Array(Type.Object({
    type: Type.Enum(['aws.evidently.evaluation', 'aws.evidently.custom']),
    timestamp: Type.Number({ minimum: 0, description: 'epoch seconds' }),
    data: Type.String({ description: 'the JSON text of an object' })
  }), { maxItems: 50 })
})

/** Opens CloudWatch Evidently, which AWS has discontinued: features, and the events of experiments. */
export function evidently ({ features, newId }: Scope): Service {
  function evaluate (project: string, feature: string, entityId: string, context: string | undefined): object {
    if (context !== undefined) objectIn(context, 'evaluationContext')
    const { variation, experiment } = features.evaluate(project, feature, entityId)
    return {
      variation: variation.name,
      value: union(variation.value),
      reason: experiment === undefined ? 'DEFAULT' : 'EXPERIMENT_RULE_MATCH',
      details: JSON.stringify(experiment === undefined ? {} : { experiment })
    }
  }

  return {
    name: 'evidently',
    protocol: restJson(),
    faults: restFaults,
    operations: {
      'POST /projects/:project/evaluations/:feature': operation(EvaluateSchema, ({ entityId, evaluationContext }, { params }) =>
        evaluate(params['project']!, params['feature']!, entityId, evaluationContext)),

      'POST /projects/:project/evaluations': operation(BatchSchema, ({ requests }, { params }) => ({
        results: requests.map(({ entityId, feature, evaluationContext }) =>
          ({ project: params['project'], feature, entityId, ...evaluate(params['project']!, feature, entityId, evaluationContext) }))
      })),

      'POST /events/projects/:project': operation(EventsSchema, ({ events }) => {
        for (const [i, { data }] of events.entries()) objectIn(data, `events/${i}/data`)
        return { failedEventCount: 0, eventResults: events.map(() => ({ eventId: newId() })) }
      })
    }
  }
}

function union (value: string | boolean | number): object {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  return Number.isInteger(value) ? { longValue: value } : { doubleValue: value }
}
