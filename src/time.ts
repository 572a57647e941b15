/** Above this a number cannot be epoch seconds (they reach it in the year 5138), so it is milliseconds. */
const mostSeconds = 1e11

/** Reads epoch seconds, epoch milliseconds or an ISO 8601 time as epoch milliseconds; undefined where it is none. */
export function parseTime (time: string | number): number | undefined {
  const number = typeof time === 'number' ? time : /^\s*\d+(\.\d+)?\s*$/.test(time) ? Number(time) : undefined
  const parsed = number === undefined ? Date.parse(time as string) : number > mostSeconds ? number : number * 1000
  return Number.isFinite(parsed) && parsed >= 0 && parsed <= 8.64e15 ? Math.round(parsed) : undefined
}
