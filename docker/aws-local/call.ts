import type { IncomingHttpHeaders } from 'node:http'

/** A call as it came in. */
export interface ReceivedCall {
  method: string
  /** The path with its query. */
  url: string
  /** What the operation's path names, decoded. */
  params: Readonly<Record<string, string>>
  query: Readonly<Record<string, string | undefined>>
  headers: IncomingHttpHeaders
  body: Buffer
}

/** A call as an operation gets it. */
export interface Call extends ReceivedCall {
  /** Drawn anew each time it is asked: whether the call, or the next record of it, is one too many. */
  throttled: () => boolean
}

export interface Reply {
  status: number
  headers: Record<string, string>
  body: Buffer | string
}

/** An answer of JSON; none at all where there is no value. */
export function json (value: unknown, status = 200, headers: Record<string, string> = {}): Reply {
  return { status, headers, body: value === undefined ? '' : JSON.stringify(value) }
}

/** What a body says: its JSON where it is that, else its text. */
export function parsed (body: Buffer): unknown {
  const text = body.toString()
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

export function header (call: ReceivedCall, name: string): string | undefined {
  const value = call.headers[name]
  return Array.isArray(value) ? value[0] : value
}
