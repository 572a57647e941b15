/** Returns the query of a request's URL, as it was sent and without "?"; empty if there is none. */
export function queryOf (url: string): string {
  const start = url.search(/[?#]/)
  return start < 0 ? '' : url.slice(start + 1)
}

/** Returns the path of a request's URL, as it was sent. */
export function pathOf (url: string): string {
  const end = url.search(/[?#]/)
  return end < 0 ? url : url.slice(0, end)
}

/** Returns the text of a part of a query, where "+" stands for a space. @throws URIError for an escape that is not UTF-8 text */
export function decodeQueryText (raw: string): string {
  return decodeURIComponent(raw.replaceAll('+', ' '))
}

/** Returns the first part of a query with an escape that is not UTF-8 text; undefined if there is none. */
export function undecodable (query: string): string | undefined {
  return query.split('&').find(part => part.split('=').some(text => !isDecodable(text)))
}

/** Returns the values of a query as they were sent, by the decoded names of the parameters. A parameter with an empty value counts as absent. */
export function readQuery (query: string): Map<string, string[]> {
  const values = new Map<string, string[]>()
  for (const part of query.split('&')) {
    const end = part.indexOf('=')
    const value = end < 0 ? '' : part.slice(end + 1)
    if (value === '') continue
    const name = decodeQueryText(part.slice(0, end))
    const others = values.get(name)
    if (others === undefined) values.set(name, [value])
    else others.push(value)
  }
  return values
}

/** Returns the decoded names of the parameters of a query, those with an empty value included, each once. */
export function namesOf (query: string): Set<string> {
  return new Set(query.split('&').map(part => decodeQueryText(part.split('=', 1)[0]!)).filter(name => name !== ''))
}

function isDecodable (text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}
