import { createClock, type Clock, type LocalTime } from './clock.ts'
import { readNumber } from './numbers.ts'

/** The headers that say where the user is. */
export const timeZoneHeader = 'cloudfront-viewer-time-zone'
export const latitudeHeader = 'cloudfront-viewer-latitude'

/** CloudFront percent-encodes what is not ASCII in these. */
const encoded: ReadonlySet<string> = new Set(['cloudfront-viewer-city', 'cloudfront-viewer-country-name', 'cloudfront-viewer-country-region-name'])

type Headers = Readonly<Record<string, string | string[] | undefined>>

/** What is known of where and when a request was made, besides what it says itself. */
export interface Surroundings {
  /** @param name in lower case @returns undefined where the request has no such header */
  header: (name: string) => string | undefined
  /** Where the user is. */
  readonly time: LocalTime
  /** In degrees; undefined where nobody says. */
  readonly latitude: number | undefined
}

/** Nothing is worked out before a rule asks for it. */
export function surroundingsOf (headers: Headers, clock: Clock): Surroundings {
  function header (name: string): string | undefined {
    // What every object has, such as `constructor`, is no header.
    const value = Object.hasOwn(headers, name) ? headers[name] : undefined
    const text = Array.isArray(value) ? value.join(', ') : value
    return text !== undefined && encoded.has(name) ? decode(text) : text
  }
  let time: LocalTime | undefined
  return {
    header,
    // It stays as it was when it was asked for first: what answers is to go by the hour that its answer is kept under.
    get time () {
      time ??= clock(header(timeZoneHeader))
      return time
    },
    get latitude () {
      const latitude = readNumber(header(latitudeHeader))
      return latitude !== undefined && Math.abs(latitude) <= 90 ? latitude : undefined
    }
  }
}

/** Those of a request that has no headers. */
export const nowhere = surroundingsOf({}, createClock(Date.now))

function decode (text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
