import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { visit } from 'jsonc-parser'
import { isJsonNumber } from '../../base/json-number.ts'

/** Thrown for JSON that DynamoDB does not accept. The message says why. */
export class BadAttributes extends Error {}

export interface Attributes {
  attributes: Record<string, AttributeValue>
  /** The size that DynamoDB counts for the attributes, in bytes. The estimate is never too small. */
  size: number
}

/** DynamoDB accepts 32 levels of nesting; the map of all attributes is the first one. */
const deepest = 31

/** In characters. A longer number either consists of zeros in its significant places, or is refused for another reason. */
const longestNumber = 512

/** Bytes that DynamoDB counts for a map or a list, and for each of its members. */
const containerBytes = 3
const memberBytes = 1

/** A map or a list that is being parsed. */
interface Open {
  value: AttributeValue
  put: (member: AttributeValue) => void
  key: string
}

/**
 * Converts the JSON text of an object to attributes. Numbers stay text, as a JavaScript number would lose digits.
 * @throws BadAttributes for JSON that DynamoDB does not accept
 */
export function toAttributes (text: string): Attributes {
  const open: Open[] = []
  let root: AttributeValue | undefined
  let size = 0

  function add (member: AttributeValue, bytes: number): void {
    size += bytes + memberBytes
    if (open.length === 0) root = member
    else open.at(-1)!.put(member)
  }
  function begin (opened: Open): void {
    add(opened.value, containerBytes)
    if (open.push(opened) > deepest) throw new BadAttributes(`is nested more than ${deepest} levels deep`)
  }

  visit(text, {
    onObjectBegin () {
      // Without a prototype, so that `__proto__` is an ordinary key.
      const members = Object.create(null) as Record<string, AttributeValue>
      const opened: Open = { value: { M: members }, key: '', put: member => { members[opened.key] = member } }
      begin(opened)
    },
    onObjectProperty (key) {
      size += textBytes(key)
      open.at(-1)!.key = key
    },
    onObjectEnd () { open.pop() },
    onArrayBegin () {
      const members: AttributeValue[] = []
      begin({ value: { L: members }, key: '', put: member => { members.push(member) } })
    },
    onArrayEnd () { open.pop() },
    onLiteralValue (value: unknown, offset, length) {
      if (typeof value === 'string') add({ S: value }, textBytes(value))
      else if (typeof value === 'number') add({ N: checkedNumber(text.slice(offset, offset + length)) }, 2 + Math.ceil(length / 2))
      else if (typeof value === 'boolean') add({ BOOL: value }, 1)
      else add({ NULL: true }, 1)
    },
    onError () { throw new BadAttributes('is not JSON') }
  }, { disallowComments: true })

  if (root?.M === undefined) throw new BadAttributes('is not a JSON object')
  return { attributes: root.M, size }
}

function textBytes (text: string): number {
  if (!text.isWellFormed()) throw new BadAttributes('has half a character (a lone surrogate), which UTF-8 cannot say')
  return Buffer.byteLength(text)
}

const jsonNumber = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/

/** Returns the number as it is. @throws BadAttributes for a number that DynamoDB refuses: more than 38 digits, below 1e-130, from 1e126 on */
function checkedNumber (text: string): string {
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text
  const [, whole = '', fraction = '', exponent = '0'] = jsonNumber.exec(text) ?? []
  const digits = whole + fraction
  const leadingZeros = /^0*/.exec(digits)![0].length
  if (leadingZeros === digits.length) return text
  if (text.length > longestNumber) throw new BadAttributes(`has a number that is too long: ${shown}`)
  if (digits.slice(leadingZeros).replace(/0+$/, '').length > 38) throw new BadAttributes(`has a number of more than 38 significant digits: ${shown}`)
  const magnitude = whole.length - 1 - leadingZeros + Number(exponent)
  if (magnitude < -130 || magnitude > 125) throw new BadAttributes(`has a number out of DynamoDB's range: ${shown}`)
  return text
}

/** Returns the JSON text of a value. Types that JSON lacks become the nearest one: a set becomes a list, binary becomes base64. */
export function toJson ({ S, N, M, L, BOOL, SS, NS, B, BS }: AttributeValue): string {
  if (S !== undefined) return JSON.stringify(S)
  if (N !== undefined) return numberToJson(N)
  if (M !== undefined) return `{${Object.entries(M).map(([key, member]) => `${JSON.stringify(key)}:${toJson(member)}`).join(',')}}`
  if (L !== undefined) return `[${L.map(toJson).join(',')}]`
  if (BOOL !== undefined) return String(BOOL)
  if (SS !== undefined) return JSON.stringify(SS)
  if (NS !== undefined) return `[${NS.map(numberToJson).join(',')}]`
  if (B !== undefined) return binaryToJson(B)
  if (BS !== undefined) return `[${BS.map(binaryToJson).join(',')}]`
  return 'null'
}

/** Returns a number's JSON, which is DynamoDB's text. Any other spelling becomes a string, so that the surrounding JSON stays valid. */
function numberToJson (number: string): string {
  return isJsonNumber(number) ? number : JSON.stringify(number)
}

function binaryToJson (binary: Uint8Array): string {
  return `"${Buffer.from(binary.buffer, binary.byteOffset, binary.byteLength).toString('base64')}"`
}
