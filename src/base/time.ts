/** Above this a number cannot be epoch seconds (they reach it in the year 5138), so it is milliseconds. */
const mostSeconds = 1e11

/** The latest time there is, in epoch milliseconds: what six bytes hold (the year 10889). */
export const latestTime = 2 ** 48 - 1

const epoch = /^\d{5,}(\.\d+)?$/
const iso = /^(\d{4}-\d{2}-(\d{2}))(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}:?\d{2})?)?$/

/**
 * Reads epoch seconds, epoch milliseconds or an ISO 8601 time (UTC where it names no zone) as epoch milliseconds; undefined where
 * it is none of them.
 */
export function parseTime (time: string | number): number | undefined {
  const number = typeof time === 'number' ? time : epoch.test(time) ? Number(time) : undefined
  const parsed = Math.round(number === undefined ? parseIso(time as string) : number > mostSeconds ? number : number * 1000)
  return parsed >= 0 && parsed <= latestTime ? parsed : undefined
}

function parseIso (text: string): number {
  const [, date, day, time = '00:00', zone = 'Z'] = iso.exec(text) ?? []
  if (date === undefined) return NaN
  // The 31st of February would pass for the 2nd of March.
  const exists = new Date(`${date}T00:00Z`).getUTCDate() === Number(day)
  return exists ? Date.parse(`${date}T${time}${zone}`) : NaN
}
