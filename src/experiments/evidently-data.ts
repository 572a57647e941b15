interface Node { [key: string]: string | number | Node }

/** Returns the data of an event: a JSON object with the user and the value at the paths of a metric, whose keys have dots between them. */
export function evidentlyData ({ entityIdKey, valueKey }: { entityIdKey: string, valueKey: string }, userId: string, value: number): string {
  const data = empty()
  put(data, entityIdKey, userId)
  put(data, valueKey, value)
  return JSON.stringify(data)
}

function put (data: Node, path: string, value: string | number): void {
  const keys = path.split('.')
  const last = keys.pop()!
  let node = data
  for (const key of keys) {
    const known = node[key]
    const next = typeof known === 'object' ? known : empty()
    node[key] = next
    node = next
  }
  node[last] = value
}

/** Returns an object without a prototype, so that a key may be any text. */
function empty (): Node {
  return Object.create(null) as Node
}
