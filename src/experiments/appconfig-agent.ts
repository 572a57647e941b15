import type { HttpClient } from '../origins/http-client.ts'
import { objectOf } from './json-object.ts'
import type { Unit } from './experiment.ts'
import { Trouble } from './trouble.ts'

export interface FlagPlace {
  readonly application: string
  readonly environment: string
  readonly profile: string
  readonly flag: string
}

/** The answer of the agent: `enabled`, `_variant`, and the attributes of the flag. */
export type Flag = Readonly<Record<string, unknown>>

/** The most characters of the header with the context; what comes after them is left out. */
const longestContext = 4_096

/**
 * Returns a function that asks the agent for a flag.
 * Source: https://docs.aws.amazon.com/appconfig/latest/userguide/appconfig-creating-multi-variant-feature-flags-retrieving.html
 * @throws (the function) an error if the answer is no flag
 */
export function flagCaller (client: HttpClient, agentUrl: string, { application, environment, profile, flag }: FlagPlace): (headers: FlagHeaders, signal: AbortSignal) => Promise<Flag> {
  const { origin, pathname } = new URL(agentUrl)
  const [a, e, p, f] = [application, environment, profile, flag].map(part => encodeURIComponent(part.toWellFormed()))
  const path = `${pathname.replace(/\/+$/, '')}/applications/${a}/environments/${e}/configurations/${p}?flag=${f}`
  return async (headers, signal) => {
    const { status, text } = await client.call({ origin, path, method: 'GET', headers: { accept: 'application/json', ...headers }, body: null }, signal)
    if (status !== 200) throw new Trouble(`it answers ${status}`)
    const answer = objectOf(text)
    if (answer === undefined) throw new Trouble('it answers no JSON object')
    return answer
  }
}

/** The headers that say of whom a flag is asked. */
export type FlagHeaders = Readonly<Record<'entity-id' | 'context', string>> | Readonly<Record<'entity-id', string>>

/**
 * Returns the headers for a user. A header has room for printable ASCII only, and the agent separates the pairs of the context by commas.
 * So other characters of ids, and their percent signs, are percent-encoded as UTF-8, such that two ids never become the same. In the
 * context, commas are encoded as well, and percent signs stay.
 */
export function flagHeaders ({ userId, context = {} }: Pick<Unit, 'userId' | 'context'>): FlagHeaders {
  const entity = { 'entity-id': encoded(userId, /%|[^\x20-\x7e]|^ | $/gu) }
  let pairs = ''
  for (const [key, value] of Object.entries(context)) {
    const pair = `${encoded(key, /[,=]|[^\x21-\x7e]/gu)}=${encoded(value, /,|[^\x20-\x7e]|^ | $/gu)}`
    if (pairs.length + 1 + pair.length > longestContext) break
    pairs += pairs === '' ? pair : `,${pair}`
  }
  return pairs === '' ? entity : { ...entity, context: pairs }
}

function encoded (text: string, characters: RegExp): string {
  return text.toWellFormed().replaceAll(characters, encodeURIComponent)
}
