import { createClock } from '../../src/context/clock.ts'
import { surroundingsOf, type Surroundings } from '../../src/context/surroundings.ts'

/** Returns the surroundings of a request with some headers at some time. Default: noon UTC on 14 January 2026. */
export function testSurroundings (headers: Record<string, string> = {}, { at = '2026-01-14T12:00:00Z', timeZone }: { at?: string, timeZone?: string } = {}): Surroundings {
  return surroundingsOf(headers, createClock(() => Date.parse(at), timeZone))
}
