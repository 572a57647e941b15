import Type, { type Static } from 'typebox'
import { GatewayError } from '../base/errors.ts'
import { jsonObjectText } from '../base/json-object.ts'
import type { JsonShape } from '../base/json-reader.ts'
import type { Entry, EntryKind } from '../delivery/dataset.ts'
import { isItemId } from '../metadata/catalog.ts'
import { BodyIdSchema, closed } from '../base/schema.ts'

/** The most entries of a request. */
const mostEntries = 100

/** The most values of a body. Its entries need less than five each; the rest lets the schema tell of too many entries. */
const mostValues = 10_000

/** The longest properties of an entry, in characters of JSON, as in Amazon Personalize. https://docs.aws.amazon.com/personalize/latest/dg/API_UBS_PutItems.html */
const longest: Readonly<Record<EntryKind, number>> = { users: 24_000, items: 32_000 }

function propertiesSchema (kind: EntryKind) {
  return Type.Optional(Type.Union([
    Type.String({ maxLength: longest[kind] }),
    Type.Record(Type.String(), Type.Unknown())
  ], { description: `A JSON object of at most ${longest[kind]} characters, or the text of one. Numbers keep all of their digits.` }))
}

const UserSchema = closed({ userId: BodyIdSchema, properties: propertiesSchema('users') })
const ItemSchema = closed({ itemId: BodyIdSchema, properties: propertiesSchema('items') })

/** The body of `POST /users/{namespace}`. */
export const UsersBodySchema = closed({ users: Type.Array(UserSchema, { minItems: 1, maxItems: mostEntries }) })

/** The body of `POST /items/{namespace}`. */
export const ItemsBodySchema = closed({ items: Type.Array(ItemSchema, { minItems: 1, maxItems: mostEntries }) })

/** Example bodies for the OpenAPI document. */
export const exampleUsers = { users: [{ userId: 'user-1', properties: { age: 34, membership: 'gold' } }] }
export const exampleItems = { items: [{ itemId: 'item-42', properties: { name: 'Birch rucksack', category: 'hiking', price: 61.62 } }] }

/** Returns how a body of the datasets is read: properties keep their numbers as they are written. */
export function entriesShape (kind: EntryKind): JsonShape {
  return { text: { key: 'properties', depth: 3, longest: longest[kind] }, most: mostValues }
}

/** Returns the users of a body as entries. @throws GatewayError 400 that names the bad part */
export function readUsers ({ users }: Static<typeof UsersBodySchema>): Entry[] {
  return users.map(({ userId, properties }, i) => ({ id: readId(userId, `body/users/${i}/userId`), properties: readProperties(properties, 'users', i) }))
}

/** Returns the items of a body as entries. @throws GatewayError 400 that names the bad part */
export function readItems ({ items }: Static<typeof ItemsBodySchema>): Entry[] {
  return items.map(({ itemId, properties }, i) => ({ id: readId(itemId, `body/items/${i}/itemId`), properties: readProperties(properties, 'items', i) }))
}

function readId (id: string, name: string): string {
  if (!isItemId(id)) throw new GatewayError('InvalidBody', `${name}: expected whole characters; it has half a surrogate pair`)
  return id
}

function readProperties (properties: string | object | undefined, kind: EntryKind, i: number): string | undefined {
  if (properties === undefined) return undefined
  return jsonObjectText(properties, longest[kind], `body/${kind}/${i}/properties`)
}
