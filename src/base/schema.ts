import Type, { type Static, type TObject } from 'typebox'
import { namePattern } from './names.ts'

export const NameSchema = Type.String({ pattern: namePattern })

/** Names of experiments' features. */
export const FeatureSchema = Type.String({ pattern: '^[a-zA-Z0-9._-]{1,128}$' })

/** Ids of users, sessions, items and events. */
export const IdSchema = Type.String({ minLength: 1, maxLength: 256 })

/** The largest integer of a JSON body whose digits are kept. */
const largest = Number.MAX_SAFE_INTEGER

/** Ids in JSON bodies. Validation replaces an integer by the text of its digits. */
export const BodyIdSchema = Type.Unsafe<string>({
  type: ['string', 'integer'],
  minLength: 1,
  maxLength: 256,
  minimum: -largest,
  maximum: largest,
  'x-number-as-text': true,
  description: 'a string of 1 to 256 characters, or an integer below 2^53 in digits, which are taken as text; send any other number as text'
})

/** Returns whether a text fits `IdSchema`. */
export function isId (text: string): boolean {
  return text !== '' && hasAtMost(text, 256)
}

/** Returns whether a text has at most so many characters. As in JSON schemas, a character is a code point, not a UTF-16 code unit. */
export function hasAtMost (text: string, characters: number): boolean {
  return text.length <= characters || (text.length <= 2 * characters && [...text].length <= characters)
}

/** One kind of a configurable part, such as a provider. `type` (or `method`) selects the kind. */
export interface Kind<S extends TObject = TObject> {
  readonly type: string
  /** Other names of the type. Loading a configuration replaces them by `type`. */
  readonly aliases?: readonly string[]
  readonly schema: S
  /** Whether a part with this configuration calls AWS in the region of the environment, since it names none. Absent: it never does. */
  readonly needsRegion?: (config: object) => boolean
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
