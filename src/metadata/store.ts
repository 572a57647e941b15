/** Where items' metadata is looked up. */
export interface ItemMetadataStore {
  /** The metadata of those items that it has, as JSON texts by item id; never parsed on the way. */
  get: (itemIds: readonly string[], signal: AbortSignal) => ReadonlyMap<string, string> | Promise<ReadonlyMap<string, string>>
  close: () => Promise<void>
}
