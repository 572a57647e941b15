/** Returns a map with its keys sorted; undefined for an absent or empty one, which mean the same. */
export function sortedMap<V> (map: Readonly<Record<string, V>> | undefined): Readonly<Record<string, V>> | undefined {
  if (map === undefined) return undefined
  const entries = Object.entries(map)
  return entries.length === 0 ? undefined : Object.fromEntries(entries.sort(([a], [b]) => a < b ? -1 : 1))
}
