/** Returns a copy of a JSON value whose objects have their keys in order, so that values of equal meaning have equal JSON texts. */
export function sortedByKey (value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(sortedByKey)
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1).map(([key, member]) => [key, sortedByKey(member)]))
}
