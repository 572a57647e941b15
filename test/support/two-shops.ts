const embedded = { home: { variations: { sessions: { type: 'embedded' } } } }
const shop = {
  inferenceItemMetadata: { type: 'localdb' },
  recommenders: { 'recommend-items': embedded, 'related-items': embedded, 'rerank-items': embedded, 'predicted-ratings': embedded },
  eventTargets: [{ type: 'embedded' }]
}

/** A document with two namespaces that have every action. Answers are cached. */
export const twoShops = {
  cacheControl: { userSpecified: { maxAge: 10, directives: 'private' }, noUserSpecified: { maxAge: 1200, directives: 'public' }, server: { ttl: 300 } },
  namespaces: { tea: shop, cup: shop }
}
