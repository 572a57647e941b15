import Type from 'typebox'
import { registry, strict } from '../schema.ts'
import { embedded } from './embedded.ts'
import type { EventTargetType } from './target.ts'

const streamName = Type.String({ pattern: '^[a-zA-Z0-9_.-]{1,128}$' })
const delivery = Type.Optional(Type.Enum(['sync', 'queued']))

/** Every kind of event target that a configuration may name, by its `type`; those without a factory are not in this build. */
export const eventTargetTypes = registry<EventTargetType>(
  embedded,
  {
    type: 'personalize-event-tracker',
    schema: strict({ type: Type.Literal('personalize-event-tracker'), trackingId: Type.String({ pattern: '^[a-zA-Z0-9-]{1,256}$' }), delivery })
  },
  { type: 'kinesis-stream', schema: strict({ type: Type.Literal('kinesis-stream'), streamName, delivery }) },
  { type: 'kinesis-firehose', schema: strict({ type: Type.Literal('kinesis-firehose'), streamName, delivery }) }
)
