import Type from 'typebox'

/** Headers that a configuration has sent along with calls, by their names. */
export const HttpHeadersSchema = Type.Record(
  Type.String({ pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$" }),
  Type.String({ pattern: '^[\\x20-\\x7e]{0,4096}$' }),
  { additionalProperties: false }
)

/** Headers that belong to the connection: a configuration cannot set them. */
const connectionHeaders: ReadonlySet<string> = new Set(['connection', 'content-length', 'expect', 'host', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade'])

/** What is wrong with headers that fit the schema: a key of the configuration for each. */
export function headerProblems (headers: Readonly<Record<string, string>> = {}): Array<{ key: string, message: string }> {
  return Object.keys(headers)
    .filter(name => connectionHeaders.has(name.toLowerCase()))
    .map(name => ({ key: `headers/${name}`, message: 'is set by the connection itself' }))
}
