/** A store of items' metadata. */
export interface ItemMetadataStore {
  /**
   * Returns the metadata of the items that the store has, as JSON texts by item id. The texts are not parsed.
   * @param signal ends the wait
   * @throws ItemMetadataError if some could not be looked up
   */
  get: (itemIds: readonly string[], signal: AbortSignal) => ReadonlyMap<string, string> | Promise<ReadonlyMap<string, string>>
  /** Whether lookups wait for nothing outside of this process. */
  readonly local?: boolean
  close: () => Promise<void>
}

/** The reason why items are returned without their metadata. */
export type Undecorated = 'timeout' | 'throttled' | 'unavailable'

/** Thrown if some items could not be looked up. */
export class ItemMetadataError extends Error {
  readonly reason: Undecorated
  /** The metadata that was found, as JSON texts by item id. */
  readonly found: ReadonlyMap<string, string>

  constructor (reason: Undecorated, found: ReadonlyMap<string, string>, options?: ErrorOptions) {
    super(`the metadata of some items could not be looked up: ${reason}`, options)
    this.name = 'ItemMetadataError'
    this.reason = reason
    this.found = found
  }
}
