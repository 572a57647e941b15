import type { OriginRequest } from './origin.ts'

/** The place of a recommender, which its requests name. */
export type Place = Pick<OriginRequest, 'action' | 'namespace' | 'recommender'>

/** Ids of users and items to try a request mapping with: words, as most shops have them, and numbers. */
const styles = { words: { user: 'user-1', item: (n: number) => `item-${n}` }, numbers: { user: '1', item: (n: number) => `${n}` } }
export type IdStyle = keyof typeof styles
export const idStyles = Object.keys(styles) as IdStyle[]

/** Returns a request as a caller may send it, with all that the action has, for `count` items. */
export function sampleRequest ({ action, namespace, recommender }: Place, style: IdStyle, count: number): OriginRequest {
  const { user, item } = styles[style]
  const items = Array.from({ length: count }, (_, n) => item(n + 1))
  return {
    action,
    namespace,
    recommender,
    userId: user,
    numResults: count,
    decorateItems: true,
    ...(action === 'related-items' ? { itemId: item(1) } : {}),
    ...(action === 'rerank-items' || action === 'predicted-ratings' ? { itemIds: items } : {})
  }
}
