import Type, { type Static, type TObject } from 'typebox'
import { namePattern } from './names.ts'

export const NameSchema = Type.String({ pattern: namePattern })

/** Names of experiments' features. */
export const FeatureSchema = Type.String({ pattern: '^[a-zA-Z0-9._-]{1,128}$' })

/** Ids of users, sessions, items and events. */
export const IdSchema = Type.String({ minLength: 1, maxLength: 256 })

/** Returns whether a text fits `IdSchema`, which counts characters instead of UTF-16 code units. */
export function isId (text: string): boolean {
  return text !== '' && (text.length <= 256 || (text.length <= 512 && [...text].length <= 256))
}

/** One kind of a configurable part, such as a provider. `type` (or `method`) selects the kind. */
export interface Kind<S extends TObject = TObject> {
  readonly type: string
  /** Other names of the type. Loading a configuration replaces them by `type`. */
  readonly aliases?: readonly string[]
  readonly schema: S
}

/** All kinds of a part, by type. */
export type Registry<K extends Kind> = ReadonlyMap<string, K>

/** Returns a registry of kinds. */
export function registry<K extends Kind> (...kinds: K[]): Registry<K> {
  return new Map(kinds.map(kind => [kind.type, kind]))
}

const remarks = { name: Type.Optional(Type.String({ maxLength: 10_000 })), description: Type.Optional(Type.String({ maxLength: 10_000 })) }

/** Returns the schema of an element of the configuration: an object without additional keys, except for a name and a description, which are for its readers. */
export function strict<P extends Parameters<typeof Type.Object>[0]> (properties: P): ReturnType<typeof Type.Object<P>> {
  return closed<P>({ ...remarks, ...properties })
}

/** Returns the schema of an object without additional keys. */
export function closed<P extends Parameters<typeof Type.Object>[0]> (properties: P): ReturnType<typeof Type.Object<P>> {
  return Type.Object(properties, { additionalProperties: false })
}

export type { Static, TObject }
