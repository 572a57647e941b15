import Type, { type Static, type TObject } from 'typebox'
import { namePattern } from './names.ts'

export const NameSchema = Type.String({ pattern: namePattern })

/** What an experiment's feature is called. */
export const FeatureSchema = Type.String({ pattern: '^[a-zA-Z0-9._-]{1,128}$' })

/** Ids of users, sessions, items and events. */
export const IdSchema = Type.String({ minLength: 1, maxLength: 256 })

/** Whether a text is one for the schema, which counts characters and not their halves. */
export function isId (text: string): boolean {
  return text !== '' && (text.length <= 256 || (text.length <= 512 && [...text].length <= 256))
}

/** One kind of a thing that has several, told apart by its `type` (or `method`). */
export interface Kind<S extends TObject = TObject> {
  readonly type: string
  /** Other names for it, replaced when a configuration is loaded. */
  readonly aliases?: readonly string[]
  readonly schema: S
}

/** All kinds of a thing by name. */
export type Registry<K extends Kind> = ReadonlyMap<string, K>

export function registry<K extends Kind> (...kinds: K[]): Registry<K> {
  return new Map(kinds.map(kind => [kind.type, kind]))
}

/** A strict object: a key that it does not know is a mistake. */
export function strict<P extends Parameters<typeof Type.Object>[0]> (properties: P): ReturnType<typeof Type.Object<P>> {
  return Type.Object(properties, { additionalProperties: false })
}

export type { Static, TObject }
