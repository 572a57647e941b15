import Type from 'typebox'
import { registry, strict, type Kind } from '../base/schema.ts'
import { seasonOf } from './clock.ts'
import { hemisphereHeader, latitudeHeader, timeZoneHeader, type Surroundings } from './surroundings.ts'
import { valueMappings, type ValueMapping } from './value-mapping.ts'

/** Returns the value that a rule finds in a request, before it is mapped; undefined if there is none. */
export type Reader = (surroundings: Surroundings) => string | number | undefined

/** The members of a rule of any type. */
export interface Rule {
  type: string
  header?: string
  valueMappings?: ValueMapping[] | undefined
}

/** A way to derive a value from a request. */
export interface RuleType extends Kind {
  reader: (rule: Rule) => Reader
  /** The request headers by which downstream caches have to tell its values apart, in lower case. */
  headers: (rule: Rule) => string[]
  /** Further headers that it reads: they have too many values for a cache. */
  unvaried?: readonly string[]
}

const HeaderRuleSchema = strict({ type: Type.Literal('header-value'), header: Type.String({ pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", maxLength: 128 }), valueMappings })

/** Headers with credentials. Rules must not read them, so that credentials reach neither providers nor cache keys. */
export const credentialHeaders: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization', 'x-api-key'])

/** Reads a header's value. An empty value counts as absent, unless a mapping gives it another value. */
const headerValue: RuleType = {
  type: 'header-value',
  schema: HeaderRuleSchema,
  reader: ({ header }) => {
    const name = header!.toLowerCase()
    return surroundings => surroundings.header(name)
  },
  headers: ({ header }) => [header!.toLowerCase()]
}

/** Returns a rule type whose value depends on the user's local time. */
function timeRule (type: string, read: Reader, more: { aliases?: string[], headers?: string[], unvaried?: string[] } = {}): RuleType {
  const { headers = [], ...rest } = more
  return { type, ...rest, schema: strict({ type: Type.Literal(type), valueMappings }), reader: () => read, headers: () => [timeZoneHeader, ...headers] }
}

export const ruleTypes = registry<RuleType>(
  headerValue,
  timeRule('hour-of-day', ({ time }) => time.hour),
  timeRule('day-of-week', ({ time }) => time.dayOfWeek),
  timeRule('season-of-year', ({ time, southern }) => seasonOf(time, southern), { aliases: ['season'], headers: [hemisphereHeader], unvaried: [latitudeHeader] })
)
