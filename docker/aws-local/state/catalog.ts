import { readRecords } from '../../../src/records/read-records.ts'

/** Metadata of items. */
export interface Catalog {
  put: (itemId: string, metadata: Readonly<Record<string, unknown>>) => void
  /** Returns the requested columns that an item has, in Personalize's format: keys in lower camel case, values as text. */
  select: (itemId: string, columns: readonly string[]) => Record<string, string>
}

/** Beyond it, the oldest item is removed. */
const mostItems = 100_000

/** Reads a catalog. @param file of items, each with its `id` and its columns in lower camel case */
export async function openCatalog (file: string): Promise<Catalog> {
  const items = new Map<string, Readonly<Record<string, unknown>>>()
  for await (const batch of readRecords(file)) {
    for (const source of batch) {
      if ('problem' in source) throw new Error(`${file}, line ${source.line}: ${source.problem}`)
      const { id, ...metadata } = source.record
      items.set(String(id), metadata)
    }
  }
  return {
    put (itemId, metadata) {
      items.set(itemId, { ...items.get(itemId), ...metadata })
      if (items.size > mostItems) items.delete(items.keys().next().value!)
    },
    select (itemId, columns) {
      const item = items.get(itemId) ?? {}
      const keys = columns.map(lowerCamelCase).filter(key => Object.hasOwn(item, key))
      return Object.fromEntries(keys.map(key => [key, text(item[key])]))
    }
  }
}

/** Returns the key of a column: BRAND_NAME → brandName. In a name with lower-case letters, only the first letter changes. */
function lowerCamelCase (column: string): string {
  if (/[a-z]/.test(column)) return column.charAt(0).toLowerCase() + column.slice(1)
  return column.toLowerCase().replace(/_+(.)/g, (_, letter: string) => letter.toUpperCase())
}

function text (value: unknown): string {
  if (Array.isArray(value)) return value.map(text).join('|')
  return typeof value === 'string' ? value : JSON.stringify(value)
}
