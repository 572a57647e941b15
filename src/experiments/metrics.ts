import Type, { type Static } from 'typebox'
import { strict } from '../base/schema.ts'

/** A metric that counts events of a type: those of a user exposed to a variation, or the sum of a value of theirs. */
const EventMetricSchema = strict({
  event: Type.String({ minLength: 1, maxLength: 256, description: 'The type of the events that count.' }),
  value: Type.Optional(Type.Enum(['eventValue'], { description: 'The member of the event to sum up; without it, the user has converted or has not.' })),
  cap: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: 'The most that one user may add.' }))
})

/** A metric of the sample's documents: conversions are sent explicitly, and go to Evidently under these keys. */
const EvidentlyMetricSchema = strict({
  trackExposures: Type.Optional(Type.Boolean()),
  entityIdKey: Type.String({ minLength: 1 }),
  valueKey: Type.String({ minLength: 1 })
})

export const MetricsSchema = Type.Record(Type.String({ pattern: '^\\S{1,128}$' }), Type.Union([EventMetricSchema, EvidentlyMetricSchema]), { additionalProperties: false })

export type Metrics = Static<typeof MetricsSchema>
