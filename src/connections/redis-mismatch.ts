import { isSecure, ping } from './redis-probe.ts'

/** The longest wait for an answer, in ms. */
const longestWait = 1_000

/**
 * Returns an error, with the code `TLS`, if the server at a URL answers with TLS where the URL has none, or the reverse. The client itself
 * gets no answer, or sees its connection break. Returns undefined if that is not the cause.
 */
export async function mismatchOf (url: string): Promise<Error | undefined> {
  const secure = isSecure(url)
  const answer = await ping(url, !secure, longestWait)
  if (answer === undefined || !/^[+-]/.test(answer)) return undefined
  const message = secure ? 'the server does not speak TLS; expected redis:// in REDIS_URL' : 'the server speaks TLS; expected rediss:// in REDIS_URL'
  return Object.assign(new Error(message), { code: 'TLS' })
}
