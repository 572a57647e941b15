import type { IncomingHttpHeaders } from 'node:http'
import { headerText } from '../base/header-text.ts'
import type { Conversion, UserEvent } from './event.ts'

/** The request that brought a body, as records contain it: without the caller's credentials. */
export interface Bringer {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, unknown>>
}

/** The events of one user, checked and with their defaults, as every target gets them. */
export interface EventBody {
  readonly namespace: string
  readonly userId: string | undefined
  readonly sessionId: string | undefined
  readonly events: readonly UserEvent[]
  readonly conversions: readonly Conversion[]
  readonly broughtBy: Bringer
  /** Further members that the caller gave, for records. */
  readonly more?: Readonly<Record<string, unknown>>
}

/** Headers that are never part of a record. */
const credentials = new Set(['authorization', 'proxy-authorization', 'x-forwarded-authorization', 'cookie', 'x-api-key', 'x-amz-security-token'])

export function bringerOf (url: string, headers: IncomingHttpHeaders, query: unknown): Bringer {
  const told = Object.entries(headers).filter((header): header is [string, string] => typeof header[1] === 'string' && !credentials.has(header[0]))
  return { path: url.split('?', 1)[0]!, headers: Object.fromEntries(told.map(([name, value]) => [name, headerText(value)])), query: query as Bringer['query'] }
}

/** Returns the user, or else the session, whose events a body has. */
export function ownerOf ({ userId, sessionId }: Pick<EventBody, 'userId' | 'sessionId'>): string {
  return userId ?? sessionId!
}
