/** Where the configuration document comes from. */
export interface ConfigSource {
  /** For messages. */
  readonly name: string
  /** The document's text as it is now. */
  read: () => Promise<string>
  /** Calls back whenever the document may have changed; returns how to stop. */
  watch: (onChange: () => void) => () => void
}
