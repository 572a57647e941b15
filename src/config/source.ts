/** A source of the configuration document. */
export interface ConfigSource {
  /** The name for the log. */
  readonly name: string
  /** The name for probes, which anybody may read. */
  readonly title: string
  /** Returns the current text of the document. */
  read: () => Promise<string>
  /** Calls `onChange` whenever the document may have changed. Returns a function that stops this. */
  watch: (onChange: () => void) => () => void
}
