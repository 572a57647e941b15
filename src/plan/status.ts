import Type, { type Static } from 'typebox'

/** The status of the configuration, and of the last attempts to load it, for people and probes. */
export const ConfigStatusSchema = Type.Object({
  source: Type.String(),
  version: Type.Optional(Type.String()),
  loadedAt: Type.Optional(Type.String({ description: 'ISO 8601; absent before the first is loaded.' })),
  reloads: Type.Object({ succeeded: Type.Integer(), failed: Type.Integer() }),
  error: Type.Optional(Type.Object({ at: Type.String(), message: Type.String() },
    { description: 'Why the newest document is not the one that serves; absent where it is.' }))
})

export type ConfigStatus = Static<typeof ConfigStatusSchema>
