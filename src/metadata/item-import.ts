/** A store of a namespace's items that the gateway fills. */
export interface ItemImport {
  readonly namespace: string
  /** Its part of the document. */
  readonly config: { readonly type: string }
  /** How often to look for a new catalog, in seconds. */
  readonly syncInterval: number
}
