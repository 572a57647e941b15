import type { IncomingHttpHeaders } from 'node:http'

/** A received call. */
export interface ReceivedCall {
  method: string
  /** Path and query. */
  url: string
  /** Parameters in the operation's path, decoded. */
  params: Readonly<Record<string, string>>
  query: Readonly<Record<string, string | undefined>>
  headers: IncomingHttpHeaders
  body: Buffer
}

/** The call that an operation receives. */
export interface Call extends ReceivedCall {
  /** Returns whether to throttle the call, or its next record. Each invocation draws a new random result. */
  throttled: () => boolean
}

export interface Reply {
  status: number
  headers: Record<string, string>
  body: Buffer | string
}

/** Returns a reply with a JSON body; with an empty body if the value is undefined. */
export function json (value: unknown, status = 200, headers: Record<string, string> = {}): Reply {
  return { status, headers, body: value === undefined ? '' : JSON.stringify(value) }
}

/** Returns the parsed JSON of a body, or the text of any other body. */
export function parsed (body: Buffer): unknown {
  const text = body.toString()
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** Returns the first value of a header. */
export function header (call: ReceivedCall, name: string): string | undefined {
  const value = call.headers[name]
  return Array.isArray(value) ? value[0] : value
}
