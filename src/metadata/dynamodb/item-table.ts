/** The names of the tables of items and of their key, as the AWS sample's settings define them. */
export interface ItemTables {
  /** The text before the namespace in the name of its table. */
  readonly prefix: string
  /** The attribute that holds the id of an item, and the field of a catalog that does. */
  readonly key: string
}

/** A namespace's table, by its name, and the attribute that is its key. */
export interface ItemTable {
  readonly name: string
  readonly key: string
}

export const defaultItemTables: ItemTables = { prefix: 'PersonalizationApiItemMetadata_', key: 'id' }

/** Returns a namespace's table. */
export function itemTableOf (namespace: string, { prefix, key }: ItemTables = defaultItemTables): ItemTable {
  return { name: `${prefix}${namespace}`, key }
}

export const tableNameFormat = 'expected 3 to 255 letters, digits, "_", "-" and "."'

/** Returns whether DynamoDB accepts the name of a table. */
export function isTableName (name: string): boolean {
  return /^[a-zA-Z0-9_.-]{3,255}$/.test(name)
}

export const prefixFormat = 'expected 1 to 254 letters, digits, "_", "-" and "."'

/** Returns whether names of tables can begin with a text. */
export function isTablePrefix (text: string): boolean {
  return /^[a-zA-Z0-9_.-]{1,254}$/.test(text)
}

/** The attributes of items, and of the lock of loads, other than the key. */
const otherAttributes: ReadonlySet<string> = new Set(['version', 'put_via', 'attributes', 'owner', 'expires', 'tag', 'complete', 'items'])

export const keyFormat = `expected 1 to 255 bytes without control characters, and none of ${[...otherAttributes].join(', ')}, which the gateway uses for other attributes`

/** Returns whether the key of the tables can have a name. */
export function isKeyName (text: string): boolean {
  return text !== '' && text.isWellFormed() && Buffer.byteLength(text) <= 255 && !/\p{Cc}/u.test(text) && !otherAttributes.has(text)
}
