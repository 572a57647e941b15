import { LRUCache } from 'lru-cache'

/** A local time: the parts of date and time that rules use. */
export interface LocalTime {
  /** 0 to 23. */
  readonly hour: number
  /** Monday 0 … Sunday 6. */
  readonly dayOfWeek: number
  /** From 1. */
  readonly month: number
  /** From 1. */
  readonly day: number
}

/** Returns the current time in a zone. For an unknown or absent zone, it uses the default zone. */
export type Clock = (zone: string | undefined) => LocalTime

/** Zone names come from requests, so the cache of zones is bounded. */
const mostZones = 1_000
const longestZone = 64
const minute = 60_000
const days = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']

interface Zone {
  readonly format: Intl.DateTimeFormat
  /** The minute (since the epoch) for which `time` was computed: it is computed once a minute. */
  at: number
  time: LocalTime | undefined
}

/**
 * Creates a clock.
 * @param now epoch ms
 * @param defaultZone an IANA name
 * @throws RangeError if the default zone does not exist
 */
export function createClock (now: () => number, defaultZone = 'UTC'): Clock {
  const zones = new LRUCache<string, Zone | 'unknown'>({ max: mostZones })
  const home = openZone(defaultZone)

  function find (name: string): Zone {
    // Zone names ignore case. A zone takes tens of kilobytes, so all spellings of its name share one entry.
    const key = name.toLowerCase()
    let zone = zones.get(key)
    if (zone === undefined) zones.set(key, zone = tryZone(key) ?? 'unknown')
    return zone === 'unknown' ? home : zone
  }

  return name => {
    const zone = name === undefined || name.length > longestZone ? home : find(name)
    const at = Math.floor(now() / minute)
    if (zone.time === undefined || zone.at !== at) {
      zone.at = at
      zone.time = timeIn(zone.format, at * minute)
    }
    return zone.time
  }
}

/** Returns whether a zone exists. */
export function isZone (name: string): boolean {
  return name.length <= longestZone && tryZone(name) !== undefined
}

function tryZone (name: string): Zone | undefined {
  try {
    return openZone(name)
  } catch {
    return undefined
  }
}

function openZone (timeZone: string): Zone {
  const format = new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', { timeZone, hourCycle: 'h23', hour: 'numeric', weekday: 'short', month: 'numeric', day: 'numeric' })
  return { format, at: 0, time: undefined }
}

function timeIn (format: Intl.DateTimeFormat, at: number): LocalTime {
  const { weekday, ...parts } = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]))
  return { hour: Number(parts['hour']), dayOfWeek: days.indexOf(weekday!), month: Number(parts['month']), day: Number(parts['day']) }
}

/** First days of the astronomical seasons, as in the AWS sample: month × 100 + day. */
const spring = 321
const summer = 621
const autumn = 923
const winter = 1223

/**
 * Returns the season: spring 0, summer 1, autumn 2, winter 3.
 * @param southern south of the equator the seasons are opposite
 */
export function seasonOf ({ month, day }: LocalTime, southern: boolean): number {
  const date = month * 100 + day
  const northern = date < spring || date >= winter ? 3 : date < summer ? 0 : date < autumn ? 1 : 2
  return southern ? (northern + 2) % 4 : northern
}
