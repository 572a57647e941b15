import Type from 'typebox'
import { Refusal } from './refusal.ts'

/** The bytes of a record, in base 64. */
export const DataSchema = Type.String({ pattern: '^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$' })
export const StreamNameSchema = Type.String({ pattern: '^[a-zA-Z0-9_.-]{1,128}$' })

/** Checks the sizes of records, in bytes. @throws Refusal if a record, or all of them together, exceed the limit */
export function checkSizes (sizes: readonly number[], most: { record: number, call: number }, code: string): void {
  const large = sizes.findIndex(size => size > most.record)
  if (large >= 0) throw new Refusal('400', `Records/${large} has ${sizes[large]} bytes; the most is ${most.record}.`, { code })
  const total = sizes.reduce((sum, size) => sum + size, 0)
  if (total > most.call) throw new Refusal('400', `The records have ${total} bytes together; the most is ${most.call}.`, { code })
}

/** Returns the number of bytes that a text in base 64 encodes. */
export function decodedSize (data: string): number {
  return Buffer.byteLength(data, 'base64')
}
