/** Where the configuration document comes from. */
export interface ConfigSource {
  /** For the log. */
  readonly name: string
  /** For probes, which anybody may read. */
  readonly title: string
  /** The document's text as it is now. */
  read: () => Promise<string>
  /** Calls back whenever the document may have changed; returns how to stop. */
  watch: (onChange: () => void) => () => void
}
