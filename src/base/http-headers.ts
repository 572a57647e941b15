import Type from 'typebox'

/** Headers that a configuration adds to calls, by name. */
export const HttpHeadersSchema = Type.Record(
  Type.String({ pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$" }),
  Type.String({ pattern: '^[\\x20-\\x7e]{0,4096}$' }),
  { additionalProperties: false }
)

/** Headers of the connection, which a configuration must not set. */
const connectionHeaders: ReadonlySet<string> = new Set(['connection', 'content-length', 'expect', 'host', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade'])

/** Returns the errors that the schema cannot express, each with the key in the configuration. */
export function headerProblems (headers: Readonly<Record<string, string>> = {}): Array<{ key: string, message: string }> {
  return Object.keys(headers)
    .filter(name => connectionHeaders.has(name.toLowerCase()))
    .map(name => ({ key: `headers/${name}`, message: 'is set by the connection itself' }))
}
