/** A larger number is epoch milliseconds: as epoch seconds it would be after the year 5138. */
const mostSeconds = 1e11

/** The latest valid time, in epoch milliseconds: the largest six-byte integer (the year 10889). */
export const latestTime = 2 ** 48 - 1

/** The forms of a time that `parseTime` takes, for messages. */
export const timeForms = 'expected epoch seconds, epoch milliseconds or an ISO 8601 time'

const epoch = /^\d{5,}(\.\d+)?$/
const iso = /^(\d{4}-\d{2}-(\d{2}))(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}:?\d{2})?)?$/

/**
 * Parses epoch seconds, epoch milliseconds or an ISO 8601 time (UTC if it names no zone). Returns epoch milliseconds; undefined for any
 * other text, or a time out of range.
 */
export function parseTime (time: string | number): number | undefined {
  const number = typeof time === 'number' ? time : epoch.test(time) ? Number(time) : undefined
  const parsed = Math.round(number === undefined ? parseIso(time as string) : number > mostSeconds ? number : number * 1000)
  return parsed >= 0 && parsed <= latestTime ? parsed : undefined
}

function parseIso (text: string): number {
  const [, date, day, time = '00:00', zone = 'Z'] = iso.exec(text) ?? []
  if (date === undefined) return NaN
  // Without the check, the 31st of February would be parsed as the 2nd or 3rd of March.
  const exists = new Date(`${date}T00:00Z`).getUTCDate() === Number(day)
  return exists ? Date.parse(`${date}T${time}${zone}`) : NaN
}
