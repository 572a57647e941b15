import type { Buffer } from 'node:buffer'
import { JsonText } from './json-text.ts'

/** Writes the text of a JSON object while the object is being read. */
export interface TextWriter {
  /** Leaves out a part of the bytes. */
  skip: (from: number, to: number) => void
  /** Writes something else in the place of a part of the bytes. */
  replace: (from: number, to: number, written: string) => void
  /** Returns whether the text up to an offset is longer than it may be. It then takes no more memory. */
  isTooLong: (at: number) => boolean
  /** Returns the text; undefined if it is too long. @param to offset after the object */
  end: (to: number) => JsonText | undefined
}

/** In UTF-8, a UTF-16 code unit takes at most this many bytes. */
const bytesOfUnit = 3

/** @param start offset of the object @param longest in characters */
export function createTextWriter (bytes: Buffer, start: number, longest: number): TextWriter {
  const pieces: string[] = []
  let length = 0
  let from = start

  const isTooLong = (at: number): boolean => length > longest || length + (at - from) / bytesOfUnit > longest

  function write (piece: string): void {
    if (length > longest) return
    pieces.push(piece)
    length += piece.length
  }

  function skip (at: number, to: number): void {
    if (at > from && !isTooLong(at)) write(bytes.toString('utf8', from, at))
    else if (at > from) length = longest + 1
    from = to
  }

  return {
    skip,
    replace (at, to, written) {
      skip(at, to)
      write(written)
    },
    isTooLong,
    end (to) {
      skip(to, to)
      return length > longest ? undefined : new JsonText(pieces.join(''))
    }
  }
}
