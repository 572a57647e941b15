import { headerText } from '../base/header-text.ts'
import { createClock, type Clock, type LocalTime } from './clock.ts'
import { readNumber } from './numbers.ts'

/** The headers that carry the user's time zone, hemisphere (`N` or `S`) and latitude. */
export const timeZoneHeader = 'cloudfront-viewer-time-zone'
export const hemisphereHeader = 'x-viewer-hemisphere'
export const latitudeHeader = 'cloudfront-viewer-latitude'

/** CloudFront percent-encodes non-ASCII characters in these headers. */
const encoded: ReadonlySet<string> = new Set(['cloudfront-viewer-city', 'cloudfront-viewer-country-name', 'cloudfront-viewer-country-region-name'])

type Headers = Readonly<Record<string, string | string[] | undefined>>

/** Headers, local time and hemisphere of a request: the input of context rules. */
export interface Surroundings {
  /** Returns a header's value; undefined if the request lacks it. @param name in lower case */
  header: (name: string) => string | undefined
  /** The local time of the user. */
  readonly time: LocalTime
  /** Whether the user is south of the equator; false if the headers do not say. */
  readonly southern: boolean
}

/** Returns the surroundings of a request. Each part is computed when a rule first reads it. */
export function surroundingsOf (headers: Headers, clock: Clock): Surroundings {
  function header (name: string): string | undefined {
    // Inherited properties such as `constructor` are no headers.
    const value = Object.hasOwn(headers, name) ? headers[name] : undefined
    const text = Array.isArray(value) ? value.join(', ') : value
    if (text === undefined) return undefined
    return encoded.has(name) ? decode(headerText(text)) : headerText(text)
  }
  let time: LocalTime | undefined
  return {
    header,
    // The first value is kept: the answer and its cache key must be computed with the same hour.
    get time () {
      time ??= clock(header(timeZoneHeader))
      return time
    },
    get southern () {
      const hemisphere = header(hemisphereHeader)?.trim().toUpperCase()
      if (hemisphere === 'N' || hemisphere === 'S') return hemisphere === 'S'
      const latitude = readNumber(header(latitudeHeader))
      return latitude !== undefined && latitude < 0 && latitude >= -90
    }
  }
}

/** The surroundings of a request without headers. */
export const nowhere = surroundingsOf({}, createClock(Date.now))

function decode (text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
