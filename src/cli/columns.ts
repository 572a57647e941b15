import { InvalidArgumentError } from 'commander'
import type { Columns } from '../records/read-records.ts'

/** Returns a parser of `field=column,…`. It accepts the known fields, or any field if `known` is absent. */
export function columnsOption (known?: readonly string[]): (text: string) => Columns {
  return text => {
    const pairs = text.split(',').map(pair => {
      const [field, column] = pair.split('=', 2)
      if (!field || !column) throw new InvalidArgumentError(`expected field=column, got "${pair}".`)
      if (known && !known.includes(field)) throw new InvalidArgumentError(`"${field}" is not a field; expected one of ${known.join(', ')}.`)
      return [field, column] as const
    })
    return Object.fromEntries(pairs)
  }
}
