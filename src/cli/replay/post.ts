import { setTimeout } from 'node:timers/promises'
import { within } from '../../base/deadline.ts'
import { UserError } from '../../base/user-error.ts'
import type { Entry } from './entry.ts'

export interface PostOptions {
  /** The URL of the batch endpoint. */
  url: string
  headers: Readonly<Record<string, string>>
  /** Ends the tries: no further request starts. */
  stop: AbortSignal
  /** Ends a running request. */
  abort: AbortSignal
  /** The pause between two tries, in ms: `first`, then doubled after each try up to `longest`. */
  pause: { first: number, longest: number }
  /** Returns a number from 0 to 1, which varies the pauses. */
  random: () => number
}

/** The outcome of a body: delivered; rejected for a reason; or unknown, since the run was stopped. */
export type Outcome = 'delivered' | 'stopped' | { reason: string }

/** The most tries for a body. They take about a minute. */
const mostTries = 10

/** The longest time that a request may take, in ms. */
const requestTimeout = 60_000

/** The longest pause that a gateway can ask for, in seconds. */
const longestRetryAfter = 60

interface BodyResult {
  status: number
  code?: string
  message?: string
  targets?: Record<string, string>
}

/** The answer to a whole request: the results of its bodies, or the reason to try it again. */
type Answer = { results: BodyResult[] } | { trouble: string, retryAfter?: number | undefined }

/**
 * Sends bodies, and retries those that were not delivered.
 * @returns the outcome of each body, in the order of the entries
 * @throws UserError if the gateway cannot be reached, or refuses the whole request: then the run cannot go on
 */
export async function post (entries: readonly Entry[], options: PostOptions): Promise<Outcome[]> {
  const outcomes = entries.map((): Outcome => 'stopped')
  let waiting = entries.map((_entry, i) => i)
  for (let tries = 1; !options.stop.aborted; tries++) {
    const answer = await ask(waiting.map(i => entries[i]!), options)
    if ('results' in answer) waiting = note(waiting, answer.results, tries < mostTries, outcomes)
    else if (tries >= mostTries && !options.stop.aborted) throw new UserError(`the gateway did not take the events in ${mostTries} tries: ${answer.trouble}`)
    if (waiting.length === 0) return outcomes
    await pauseAfter(tries, 'retryAfter' in answer ? answer.retryAfter : undefined, options)
  }
  return outcomes
}

/** Stores the final outcomes of bodies. @returns the indices of the bodies to send again */
function note (indices: readonly number[], results: readonly BodyResult[], mayTry: boolean, outcomes: Outcome[]): number[] {
  return indices.filter((index, i) => {
    const { status, code = '', message = '', targets } = results[i]!
    if (status === 200) outcomes[index] = 'delivered'
    else if (!mayTry || !passes(status, code)) outcomes[index] = { reason: `${status} ${code}: ${message}${targets === undefined ? '' : ` ${JSON.stringify(targets)}`}` }
    else return true
    return false
  })
}

/** Returns whether another try may succeed. */
function passes (status: number, code = ''): boolean {
  return status === 408 || status === 429 || (status >= 500 && code !== 'EventsRefused')
}

async function pauseAfter (tries: number, retryAfter: number | undefined, { stop, pause, random }: PostOptions): Promise<void> {
  const growing = Math.min(pause.first * 2 ** (tries - 1), pause.longest) * (1 + random()) / 2
  await setTimeout(retryAfter === undefined ? growing : Math.max(growing, retryAfter * 1000), undefined, { signal: stop }).catch(() => {})
}

async function ask (entries: readonly Entry[], { url, headers, abort }: PostOptions): Promise<Answer> {
  const body = entries.map(({ body }) => body).join('\n')
  let status: number
  let retryAfter: number | undefined
  let text: string
  try {
    [status, retryAfter, text] = await within(requestTimeout, async ({ abortSignal: signal }) => {
      const response = await fetch(url, { method: 'POST', headers: { ...headers, 'content-type': 'application/x-ndjson' }, body, signal })
      return [response.status, readRetryAfter(response.headers.get('retry-after')), await response.text()]
    }, abort)
  } catch (error) {
    const { cause, message } = error as Error
    // A network error has a cause. A TypeError without one is permanent: a header that cannot be sent, for example.
    if (error instanceof TypeError && cause === undefined) throw new UserError(`the events cannot be sent: ${message}`, { cause: error })
    return { trouble: cause instanceof Error ? (cause as NodeJS.ErrnoException).code ?? cause.message : message }
  }
  const answer = parse(text)
  if ((status === 200 || status === 207) && answer.results?.length === entries.length) return { results: answer.results }
  const told = `${status} ${answer.code ?? ''} ${answer.message ?? ''}`.trim()
  if (status > 207 && !passes(status)) throw new UserError(`the gateway refuses the events: ${told}`)
  return { trouble: told, retryAfter }
}

function parse (text: string): { results?: BodyResult[], code?: string, message?: string } {
  try {
    return JSON.parse(text) as ReturnType<typeof parse> ?? {}
  } catch {
    return {}
  }
}

function readRetryAfter (text: string | null): number | undefined {
  const seconds = text === null || text === '' ? NaN : Number(text)
  return seconds >= 0 ? Math.min(seconds, longestRetryAfter) : undefined
}
