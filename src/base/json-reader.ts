import type { Buffer } from 'node:buffer'
import { GatewayError } from './errors.ts'
import { isJsonNumber } from './json-number.ts'
import { createStringScanner, notJson } from './json-string-scanner.ts'
import { createTextWriter, type TextWriter } from './json-text-writer.ts'
import { escapePointer } from './validation.ts'
import { noteWritten } from './written-integers.ts'

/** The parts of a JSON body that are read in another way than JSON.parse does, and its limits. */
export interface JsonShape {
  /**
   * The objects that become a `JsonText`: those under this key of objects at this depth. The outermost value has depth 1.
   * `longest` is in characters.
   */
  readonly text?: { readonly key: string, readonly depth: number, readonly longest: number }
  /** Whether the elements of the outermost list are independent: the error of a bad one is an element in its place. */
  readonly apart?: boolean
  /** The most values. Values in a `JsonText` do not count, since they take no memory of their own. */
  readonly most: number
  /** The most lists and objects within each other; absent: `deepest`. */
  readonly deepest?: number
}

/** Reads JSON in slices. */
export interface JsonReader {
  /** Reads on for about a number of bytes. @returns whether the whole text is read @throws GatewayError 400 */
  read: (budget: number) => boolean
  readonly value: unknown
  /** The number of values so far. */
  readonly count: number
}

/** The most lists and objects within each other. */
export const deepest = 32
const tooDeep = (most: number): string => `expected at most ${most} lists and objects within each other`
const longestNumber = 1024

/** The most elements of a list: twice as many as any list of a body may have, so that a schema can tell of a few too many. */
const longestList = 1_000

const [quote, comma, colon, openList, closeList, openObject, closeObject] = Array.from('",:[]{}', sign => sign.charCodeAt(0)) as [number, number, number, number, number, number, number]

/** A list or an object that is being read. Within a `JsonText` it has no value. */
interface Frame {
  readonly isList: boolean
  readonly list: unknown[] | undefined
  readonly object: Record<string, unknown> | undefined
  /** The key whose value is being read. */
  key: string
}

type Expected = 'value' | 'value or end' | 'key' | 'key or end' | 'colon' | 'comma or end' | 'nothing'

/**
 * Creates a reader of JSON. Other than JSON.parse, it can pause, bounds depth and number of values, keeps the digits of numbers where the
 * shape says so, and refuses strings with half a surrogate pair and keys that could change the prototype of an object.
 * @param bytes UTF-8, checked
 */
export function createJsonReader (bytes: Buffer, { text, apart = false, most, deepest: mostFrames = deepest }: JsonShape): JsonReader {
  const frames: Frame[] = []
  let at = bytes[0] === 0xEF && bytes[1] === 0xBB && bytes[2] === 0xBF ? 3 : 0
  let expected: Expected = 'value'
  let value: unknown
  let count = 0
  /** Writes the text of the object that becomes a `JsonText`; undefined outside of one. `outside` is the number of frames around it. */
  let writer: TextWriter | undefined
  let outside = 0
  let isTooDeep = false
  /** The text of the number that was read last, until it is put into its place. */
  let written: string | undefined
  let hasNoted = false
  /** The first fault of the current element, where elements are independent. */
  let fault: GatewayError | undefined
  /** The string that is being read, which may take several slices. */
  const string = createStringScanner(bytes)

  function read (budget: number): boolean {
    const until = Math.max(at, string.end) + budget
    while (at < until) {
      const from = at
      while (isSpace(bytes[at])) at++
      if (writer !== undefined && at > from) writer.skip(from, at)
      const code = bytes[at]
      if (code === undefined) {
        if (expected === 'nothing') return true
        throw notJson()
      }
      if (code === quote && !string.scan(at, until)) return false
      step(code)
      if (writer?.isTooLong(at) === true) refuseLength()
    }
    return false
  }

  function step (code: number): void {
    switch (expected) {
      case 'value': return begin(code)
      case 'value or end': return code === closeList ? close() : begin(code)
      case 'key': return readKey(code)
      case 'key or end': return code === closeObject ? close() : readKey(code)
      case 'colon': return pass(code === colon, 'value')
      case 'comma or end': {
        const { isList } = frames.at(-1)!
        if (code === (isList ? closeList : closeObject)) return close()
        return pass(code === comma, isList ? 'value' : 'key')
      }
      case 'nothing': throw notJson()
    }
  }

  function pass (isRight: boolean, next: Expected): void {
    if (!isRight) throw notJson()
    at++
    expected = next
  }

  function begin (code: number): void {
    if (code === openObject || code === openList) open(code === openList)
    else complete(code === quote ? readString(writer !== undefined) : readPlain())
  }

  function open (isList: boolean): void {
    if (frames.length >= mostFrames) {
      // The length bounds the frames within a text, and says more of what is wrong.
      if (writer === undefined || fault !== undefined) throw new GatewayError('InvalidBody', `body: ${tooDeep(mostFrames)}`)
      isTooDeep = true
    }
    if (!isList && writer === undefined && isTextPlace()) {
      writer = createTextWriter(bytes, at, text!.longest)
      outside = frames.length
    }
    const isText = writer !== undefined
    frames.push({ isList, list: isList && !isText ? [] : undefined, object: isList || isText ? undefined : {}, key: '' })
    at++
    expected = isList ? 'value or end' : 'key or end'
  }

  function close (): void {
    const { list, object } = frames.pop()!
    at++
    if (writer === undefined || frames.length > outside) return complete(list ?? object)
    const written = writer.end(at)
    if (written === undefined) refuseLength()
    if (isTooDeep) refuse(tooDeep(mostFrames))
    isTooDeep = false
    writer = undefined
    complete(written)
  }

  function complete (read: unknown): void {
    const parent = frames.at(-1)
    expected = parent === undefined ? 'nothing' : 'comma or end'
    if (writer !== undefined) return
    if (parent?.list?.length === longestList) throw new GatewayError('InvalidBody', `${placeOf()}: expected lists of at most ${longestList} items`)
    if (++count > most) throw new GatewayError('InvalidBody', `body: expected at most ${most} values`)
    if (parent !== undefined) note(parent, read)
    if (parent === undefined) value = read
    else if (parent.list === undefined) parent.object![parent.key] = read
    else if (frames.length > 1) parent.list.push(read)
    else {
      parent.list.push(fault ?? read)
      fault = undefined
    }
  }

  /** Notes how a number is written. Within a list, no value can take the place of another. */
  function note ({ list, object, key }: Frame, read: unknown): void {
    if (written !== undefined || (hasNoted && list === undefined)) hasNoted = noteWritten(list ?? object!, list?.length ?? key, written, read) || hasNoted
    written = undefined
  }

  function readKey (code: number): void {
    if (code !== quote) throw notJson()
    const key = readString(false)
    if (key === '__proto__' || (key === 'prototype' && frames.at(-2)?.key === 'constructor')) throw notJson()
    frames.at(-1)!.key = key
    expected = 'colon'
  }

  /** @param skips whether the caller needs no value */
  function readString (skips: boolean): string {
    const from = at
    at = string.end + 1
    if (!string.isEscaped) return skips ? '' : bytes.toString('utf8', from + 1, at - 1)
    const read = string.take()
    if (!read.isWellFormed()) refuse(`expected ${writer !== undefined || isTextPlace() ? 'a JSON object of whole characters' : 'whole characters'}; it has half a surrogate pair`)
    if (writer !== undefined && read.length <= text!.longest) writer.replace(from, at, JSON.stringify(read))
    else writer?.replace(from, at, read)
    return read
  }

  function readPlain (): unknown {
    const from = at
    while (isPlain(bytes[at])) at++
    if (at - from > longestNumber) return refuse(`expected numbers of at most ${longestNumber} digits`)
    const plain = bytes.toString('latin1', from, at)
    if (plain === 'true') return true
    if (plain === 'false') return false
    if (plain === 'null') return null
    if (!isJsonNumber(plain)) throw notJson()
    if (writer === undefined) written = plain
    return Number(plain)
  }

  /** Returns whether an object at the current place would become a `JsonText`. */
  function isTextPlace (): boolean {
    const parent = frames.at(-1)
    return text !== undefined && frames.length === text.depth && parent?.object !== undefined && parent.key === text.key
  }

  /** Refuses the body, or the element of it that is being read. */
  function refuse (expectation: string): void {
    if (fault !== undefined) return
    const error = new GatewayError('InvalidBody', `${placeOf()}: ${expectation}`)
    if (!apart || frames[0]?.isList !== true) throw error
    fault = error
  }

  function refuseLength (): void {
    refuse(`expected at most ${text!.longest} characters of JSON`)
  }

  /** Returns the place of the value that is being read; of a value within a `JsonText`, the place of the latter. */
  function placeOf (): string {
    const around = frames.slice(apart && frames[0]?.isList === true ? 1 : 0, writer === undefined ? frames.length : outside)
    return ['body', ...around.map(({ list, key }) => list === undefined ? escapePointer(key.slice(0, 100)) : String(list.length))].join('/')
  }

  return { read, get value () { return value }, get count () { return count } }
}

function isSpace (code: number | undefined): boolean {
  return code === 0x20 || code === 0x0A || code === 0x0D || code === 0x09
}

/** Returns whether a byte can be part of a number, or of `true`, `false` or `null`. */
function isPlain (code: number | undefined): boolean {
  return code !== undefined && ((code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x7A) || code === 0x2D || code === 0x2B || code === 0x2E || code === 0x45)
}
