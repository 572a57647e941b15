import Type from 'typebox'
import { registry, strict, type Kind } from '../schema.ts'
import { embedded } from './embedded.ts'
import { type EventTargetType } from './target.ts'

/** Every kind of event target there is, by its `type`. */
export const eventTargetTypes = registry<EventTargetType>(
  embedded
)

const streamName = Type.String({ pattern: '^[a-zA-Z0-9_.-]{1,128}$' })
const delivery = Type.Optional(Type.Enum(['sync', 'queued']))

/** Targets that a configuration may name but that this build does not have: events for them are reported as not delivered. */
export const plannedEventTargetTypes = registry<Kind>(
  {
    type: 'personalize-event-tracker',
    schema: strict({ type: Type.Literal('personalize-event-tracker'), trackingId: Type.String({ pattern: '^[a-zA-Z0-9-]{1,256}$' }), delivery })
  },
  { type: 'kinesis-stream', schema: strict({ type: Type.Literal('kinesis-stream'), streamName, delivery }) },
  { type: 'kinesis-firehose', schema: strict({ type: Type.Literal('kinesis-firehose'), streamName, delivery }) }
)
