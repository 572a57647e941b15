import Type, { type Static } from 'typebox'
import { allowedOriginsFormat, readAllowedOrigins } from '../base/allowed-origins.ts'
import type { Finding } from '../base/validation.ts'
import { readRates } from './rates.ts'
import { readTrustProxy, trustProxyFormat } from './trust-proxy.ts'

/** The process settings that say which callers are let in, and how much of them. */
export const limitSettings = {
  CORS_ORIGINS: Type.Optional(Type.String({ maxLength: 16_384, description: 'the origins whose pages may call the gateway from a browser: *, https://shop.example or https://*.shop.example, several with commas between them; none where absent' })),
  RATE_LIMIT: Type.Optional(Type.String({ maxLength: 256, description: 'the most requests of a client by scope, such as read:1000/1s,write:200/1s; unlimited where absent' })),
  TRUST_PROXY: Type.Optional(Type.String({ maxLength: 16_384, description: 'the proxies whose X-Forwarded-For counts: networks such as 10.0.0.0/8, and loopback, linklocal, uniquelocal; none where absent' })),
  TRUST_CLOUDFRONT: Type.Enum(['true', 'false'], { default: 'false', description: 'whether only CloudFront can reach the gateway, so that CloudFront-Viewer-Address counts' }),
  MAX_URL_LENGTH: Type.Integer({ minimum: 1_024, maximum: 65_536, default: 8_192, description: 'the longest URL, in characters' }),
  MAX_HEADER_BYTES: Type.Integer({ minimum: 4_096, maximum: 262_144, default: 16_384, description: 'the most bytes of a request line and its headers' }),
  MAX_BODY_BYTES: Type.Integer({ minimum: 16_384, maximum: 33_554_432, default: 1_048_576, description: 'the longest body of a request; four times as long for batches of events and for users, eight times for items' }),
  MAX_JSON_DEPTH: Type.Integer({ minimum: 4, maximum: 128, default: 32, description: 'the most lists and objects within each other in a body' }),
  MAX_CONNECTIONS: Type.Integer({ minimum: 16, maximum: 1_000_000, default: 10_000, description: 'the most connections of a process; further ones are closed at once' }),
  KEEP_ALIVE_TIMEOUT: Type.Number({ minimum: 1, maximum: 4_000, default: 72, description: 'seconds for which an idle connection stays open; more than the load balancer keeps it' }),
  HEADERS_TIMEOUT: Type.Number({ minimum: 1, maximum: 300, default: 15, description: 'seconds in which the headers of a request have to arrive' }),
  REQUEST_TIMEOUT: Type.Number({ minimum: 1, maximum: 300, default: 30, description: 'seconds in which a whole request has to arrive' })
}

export type LimitSettings = Static<ReturnType<typeof Type.Object<typeof limitSettings>>>

/** The limits of one server. Lengths in bytes, times in ms. */
export interface ServerLimits {
  url: number
  headers: number
  body: number
  jsonDepth: number
  connections: number
  keepAlive: number
  headersTimeout: number
  requestTimeout: number
}

/** Returns the limits of valid settings. */
export function serverLimitsOf (settings: LimitSettings): ServerLimits {
  return {
    url: settings.MAX_URL_LENGTH,
    headers: settings.MAX_HEADER_BYTES,
    body: settings.MAX_BODY_BYTES,
    jsonDepth: settings.MAX_JSON_DEPTH,
    connections: settings.MAX_CONNECTIONS,
    keepAlive: settings.KEEP_ALIVE_TIMEOUT * 1000,
    headersTimeout: settings.HEADERS_TIMEOUT * 1000,
    requestTimeout: settings.REQUEST_TIMEOUT * 1000
  }
}

const defaults = Object.fromEntries(Object.entries(limitSettings).flatMap(([name, schema]) => 'default' in schema ? [[name, schema.default]] : [])) as LimitSettings

/** The limits of a server whose settings name none. */
export const defaultLimits = serverLimitsOf(defaults)

/** Returns the options of the application that say who is let in. */
export function admissionOf ({ CORS_ORIGINS, RATE_LIMIT, TRUST_PROXY, TRUST_CLOUDFRONT }: LimitSettings) {
  return {
    corsOrigins: CORS_ORIGINS === undefined ? undefined : readAllowedOrigins(CORS_ORIGINS),
    rates: RATE_LIMIT === undefined ? undefined : readRates(RATE_LIMIT),
    trustProxy: TRUST_PROXY === undefined ? undefined : readTrustProxy(TRUST_PROXY),
    trustCloudFront: TRUST_CLOUDFRONT === 'true'
  }
}

/** Returns the mistakes in settings that their schemas cannot express. */
export function limitMistakes (settings: LimitSettings): Finding[] {
  const { corsOrigins, rates, trustProxy } = admissionOf(settings)
  const findings: Finding[] = []
  if (settings.CORS_ORIGINS !== undefined && corsOrigins === undefined) findings.push({ pointer: '/CORS_ORIGINS', message: allowedOriginsFormat })
  if (settings.RATE_LIMIT !== undefined && rates === undefined) findings.push({ pointer: '/RATE_LIMIT', message: 'expected rates of the scopes read, write and admin with commas between them, such as read:1000/1s,write:200/1s' })
  if (settings.TRUST_PROXY !== undefined && trustProxy === undefined) findings.push({ pointer: '/TRUST_PROXY', message: trustProxyFormat })
  if (settings.HEADERS_TIMEOUT > settings.REQUEST_TIMEOUT) findings.push({ pointer: '/HEADERS_TIMEOUT', message: 'expected at most REQUEST_TIMEOUT' })
  if (settings.MAX_URL_LENGTH >= settings.MAX_HEADER_BYTES) findings.push({ pointer: '/MAX_URL_LENGTH', message: 'expected less than MAX_HEADER_BYTES, which the request line is a part of' })
  return findings
}
