import { LRUCache } from 'lru-cache'

/** Which events of which user have been accepted, as a number that rises with each: what was made under an older one is out of date. */
export interface UserVersions {
  of: (namespace: string, userId: string) => number
  raise: (namespace: string, userId: string) => void
}

/** Users whose last event is remembered; far more than send events while anything made for them is kept. */
const mostUsers = 200_000

export function createUserVersions (): UserVersions {
  const versions = new LRUCache<string, number>({ max: mostUsers })
  let newest = 0
  const key = (namespace: string, userId: string): string => `${namespace}/${userId}`
  return {
    of: (namespace, userId) => versions.get(key(namespace, userId)) ?? 0,
    raise (namespace, userId) { versions.set(key(namespace, userId), ++newest) }
  }
}
