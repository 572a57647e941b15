/** Where items' metadata is looked up. */
export interface ItemMetadataStore {
  /**
   * The metadata of those items that it has, as JSON texts by item id; never parsed on the way.
   * @param signal ends the wait
   * @throws ItemMetadataError where some could not be looked up
   */
  get: (itemIds: readonly string[], signal: AbortSignal) => ReadonlyMap<string, string> | Promise<ReadonlyMap<string, string>>
  close: () => Promise<void>
}

/** Why items go out without their metadata. */
export type Undecorated = 'timeout' | 'throttled' | 'unavailable'

/** Some items could not be looked up. */
export class ItemMetadataError extends Error {
  readonly reason: Undecorated
  /** What was found all the same. */
  readonly found: ReadonlyMap<string, string>

  constructor (reason: Undecorated, found: ReadonlyMap<string, string>, options?: ErrorOptions) {
    super(`the metadata of some items could not be looked up: ${reason}`, options)
    this.name = 'ItemMetadataError'
    this.reason = reason
    this.found = found
  }
}
