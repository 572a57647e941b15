import Type, { type Static } from 'typebox'
import { NameSchema, strict } from '../base/schema.ts'

const milliseconds = Type.Number({ exclusiveMinimum: 0, maximum: 30_000 })

/** The settings for origins that are slow, fail or get too many calls. */
export const ResilienceSchema = strict({
  timeout: Type.Optional(milliseconds),
  retries: Type.Optional(Type.Integer({ minimum: 0, maximum: 5 })),
  breaker: Type.Optional(strict({
    failures: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
    probeInterval: Type.Optional(Type.Number({ minimum: 10, maximum: 600_000 }))
  })),
  bulkhead: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
  hedge: Type.Optional(NameSchema)
})

export type Resilience = Static<typeof ResilienceSchema>

export const defaults = {
  /** The time for the whole request, in ms: as in the AWS sample. */
  timeout: 5000,
  retries: 1,
  breaker: { failures: 10, probeInterval: 1000 },
  /** The most calls of one origin that are under way at once. */
  bulkhead: 256
}
