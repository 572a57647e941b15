import { InvalidArgumentError, Option } from 'commander'
import { namePattern } from '../base/names.ts'
import { scopes, type Scope } from '../security/access.ts'
import type { Columns } from '../records/read-records.ts'

/** Returns the option that names a namespace. */
export function namespaceOption (): Option {
  return nameOption('--namespace <name>', 'the namespace, as the configuration calls it')
}

/** Returns an option whose value is a name of the configuration. It is mandatory unless told otherwise. */
export function nameOption (flags: string, description: string, { mandatory = true }: { mandatory?: boolean } = {}): Option {
  return new Option(flags, description).makeOptionMandatory(mandatory).argParser(readName)
}

/** Returns an option that may be repeated, whose values are names of the configuration. */
export function namesOption (flags: string, description: string): Option {
  return new Option(flags, description).default([]).argParser((name, names: string[]) => [...names, readName(name)])
}

function readName (name: string): string {
  if (!new RegExp(namePattern).test(name)) throw new InvalidArgumentError('expected letters, digits, "_", "-", ".", "~", and spaces inside.')
  return name
}

/** Returns the scopes so far, with those of one more option: one, or several with commas between them. */
export function scopeOption (text: string, before: Scope[] | undefined): Scope[] {
  const named = text.split(',').map(name => scopes.find(scope => scope === name.trim()))
  if (named.includes(undefined)) throw new InvalidArgumentError(`expected ${scopes.join(', ')}.`)
  return [...before ?? [], ...named as Scope[]]
}

/** Returns the option that names headers of requests. */
export function headerOption (): Option {
  return new Option('--header <line>', '"Name: value", sent with each request; may be repeated').default([]).argParser<string[]>((line, lines) => [...lines, line])
}

interface KnownColumns {
  /** The fields that there are; absent: any. */
  known?: readonly string[]
  /** The fields that must have a column; of each list, one. */
  required?: ReadonlyArray<readonly string[]>
}

/** Returns a reader of `field=column,…`. */
export function columnsOption ({ known, required = [] }: KnownColumns = {}): (text: string) => Columns {
  return text => {
    const pairs = text.split(',').map(pair => {
      const [field, column] = pair.split('=', 2)
      if (!field || !column) throw new InvalidArgumentError(`expected field=column, got "${pair}".`)
      if (known && !known.includes(field)) throw new InvalidArgumentError(`"${field}" is not a field; expected one of ${known.join(', ')}.`)
      return [field, column] as const
    })
    const columns = Object.fromEntries(pairs)
    const missing = required.find(fields => !fields.some(field => Object.hasOwn(columns, field)))
    if (missing !== undefined) throw new InvalidArgumentError(`${missing.join(' or ')} has no column; expected ${missing[0]!}=column among them.`)
    const [twice] = pairs.find(([field], i) => pairs.findIndex(([other]) => other === field) !== i) ?? []
    if (twice !== undefined) throw new InvalidArgumentError(`"${twice}" has two columns; expected one.`)
    return columns
  }
}

/** Returns a number from 1 to 9999999. */
export function limitOption (text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError('expected a number from 1 to 9999999.')
  return Number(text)
}

/** Returns the URL of a gateway, without slashes at its end. */
export function urlOption (text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) throw new InvalidArgumentError('expected a URL that begins with http:// or https://.')
  if (url.username !== '' || url.password !== '') throw new InvalidArgumentError('must not hold credentials; expected them in --header.')
  if (/[?#]/.test(text)) throw new InvalidArgumentError('expected a URL without "?" and "#".')
  return text.replace(/\/+$/, '')
}

/** Returns how many requests there may be at once. */
export function concurrencyOption (text: string): number {
  if (!/^\d{1,2}$/.test(text) || Number(text) < 1 || Number(text) > 16) throw new InvalidArgumentError('expected an integer from 1 to 16.')
  return Number(text)
}
