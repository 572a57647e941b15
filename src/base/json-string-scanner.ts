import type { Buffer } from 'node:buffer'
import { GatewayError } from './errors.ts'

/** Finds the end of JSON strings, and decodes those that have escapes, both in slices. */
export interface StringScanner {
  /** Scans on in the string that opens at an offset, up to another offset or a little further. @returns whether the string is complete @throws GatewayError 400 */
  scan: (opening: number, until: number) => boolean
  /** The offset of the closing quote. */
  readonly end: number
  readonly isEscaped: boolean
  /** Returns the value of the string, and gives up its memory. @throws GatewayError 400 */
  take: () => string
}

const [quote, backslash, unicode] = [0x22, 0x5C, 0x75]

export function notJson (): GatewayError {
  return new GatewayError('InvalidBody', 'body: is not JSON, or holds a key that is not allowed in it')
}

/** @param bytes UTF-8, checked */
export function createStringScanner (bytes: Buffer): StringScanner {
  /** The offset of the current string, and the one that the scan has reached. */
  let [opening, at] = [-1, 0]
  let isEscaped = false
  /** The decoded parts of an escaped string, and the offset from which it is not decoded yet. */
  let parts: string[] = []
  let decoded = 0

  function decode (): void {
    parts.push(unescaped(bytes.toString('utf8', decoded, at)))
    decoded = at
  }

  return {
    scan (start, until) {
      if (start !== opening) {
        opening = start
        at = decoded = start + 1
        isEscaped = false
        parts = []
      }
      for (let code = bytes[at]; code !== quote; code = bytes[at]) {
        // A part ends between two characters: after one, the next byte begins another.
        if (at >= until && !isContinuation(code)) {
          if (isEscaped) decode()
          return false
        }
        if (code === undefined || code < 0x20) throw notJson()
        if (code !== backslash) {
          at++
          continue
        }
        isEscaped = true
        at += bytes[at + 1] === unicode ? 6 : 2
      }
      return true
    },
    get end () { return at },
    get isEscaped () { return isEscaped },
    take () {
      decode()
      const value = parts.join('')
      parts = []
      return value
    }
  }
}

/** Returns whether a byte continues a character of UTF-8 that began before it. */
function isContinuation (code: number | undefined): boolean {
  return code !== undefined && (code & 0xC0) === 0x80
}

/** Returns the value of a string, or of a part of it, that is written without quotes. */
function unescaped (written: string): string {
  try {
    return JSON.parse(`"${written}"`) as string
  } catch {
    throw notJson()
  }
}
