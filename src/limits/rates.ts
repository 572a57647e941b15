import Type, { type Static } from 'typebox'
import { strict } from '../base/schema.ts'

/** The most requests of a client in a window of time. */
export interface Rate {
  readonly max: number
  /** In ms. */
  readonly window: number
}

const limitedScopes = ['read', 'write', 'admin'] as const

/** The scopes that have rates of their own: what a route needs of its callers. */
export type LimitedScope = typeof limitedScopes[number]
export type Rates = Readonly<Partial<Record<LimitedScope, Rate>>>

const ratePattern = '^[1-9]\\d{0,8}/([1-9]\\d{0,4})?(s|m|h)$'
export const rateFormat = 'such as 1000/1s or 60/m'

const RateSchema = Type.Optional(Type.String({ pattern: ratePattern, description: `requests of a client per time, ${rateFormat}` }))

/** The rates of a namespace, in the configuration document. */
export const RatesSchema = strict({ read: RateSchema, write: RateSchema, admin: RateSchema })

const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 }

/** Parses a rate. @returns undefined if the text is no rate */
export function parseRate (text: string): Rate | undefined {
  if (!new RegExp(ratePattern).test(text)) return undefined
  const [max, time] = text.split('/') as [string, string]
  return { max: Number(max), window: Number(time.slice(0, -1) || 1) * units[time.at(-1)!]! }
}

/** Returns the rates of a namespace whose configuration is valid. */
export function ratesOf (texts: Static<typeof RatesSchema> = {}): Rates {
  return Object.fromEntries(Object.entries(texts).map(([scope, text]) => [scope, parseRate(text)!]))
}

/** Reads rates by scope, such as `read:1000/1s,write:200/1s`. @returns undefined if the text has another form */
export function readRates (text: string): Rates | undefined {
  const rates: Partial<Record<LimitedScope, Rate>> = {}
  for (const entry of text.split(',')) {
    const [name, rateText = '', ...more] = entry.trim().split(':')
    const scope = limitedScopes.find(scope => scope === name)
    const rate = parseRate(rateText)
    if (scope === undefined || rate === undefined || more.length > 0 || scope in rates) return undefined
    rates[scope] = rate
  }
  return rates
}

/** Returns the rate for a scope. Routes of administrators are limited like writes unless they have a rate of their own. */
export function rateFor (rates: Rates | undefined, scope: LimitedScope): Rate | undefined {
  return rates?.[scope] ?? (scope === 'admin' ? rates?.write : undefined)
}
