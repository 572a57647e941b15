import { plainTag } from './content-encoding.ts'

/** The result of evaluating the preconditions of a request. */
export type Verdict = 'send' | 'not-modified' | 'precondition-failed'

export interface Preconditions {
  'if-match'?: string | undefined
  'if-none-match'?: string | undefined
}

/**
 * Evaluates the preconditions of a GET or HEAD request in the order of RFC 9110 §13.2.2. Answers have no modification date, so that
 * preconditions with a date are ignored (§13.1.3, §13.1.4). The tag of any representation matches the answer, because all encodings of
 * one body have the same content.
 * @param etag the strong validator of the plain answer, with its quotes
 */
export function evaluate (etag: string, { 'if-match': ifMatch, 'if-none-match': ifNoneMatch }: Preconditions): Verdict {
  if (ifMatch !== undefined && !lists(ifMatch, etag, 'strongly')) return 'precondition-failed'
  return ifNoneMatch !== undefined && lists(ifNoneMatch, etag, 'weakly') ? 'not-modified' : 'send'
}

/** Matches an entity tag in a list (RFC 9110 §8.8.3). The quoted text may contain commas. */
const tags = /(W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g

function lists (field: string, etag: string, comparison: 'strongly' | 'weakly'): boolean {
  if (field === etag || field.trim() === '*') return true
  for (const [, weak, tag] of field.matchAll(tags)) {
    if (plainTag(tag!) === etag && (weak === undefined || comparison === 'weakly')) return true
  }
  return false
}

/**
 * Returns the tag for a 304 answer: the first of the candidates that the caller has named, so that caches recognize their stored answer
 * by its tag (RFC 9111 §4.3.4). If the caller has named none of them, the first candidate.
 */
export function namedTag (field: string | undefined, candidates: readonly [string, ...string[]]): string {
  const named = new Set(Array.from((field ?? '').matchAll(tags), ([, , tag]) => tag))
  return candidates.find(candidate => named.has(candidate)) ?? candidates[0]
}
