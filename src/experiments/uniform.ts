/**
 * Returns a number in (0, 1) that depends on the parts and on nothing else: MurmurHash3 (x86, 32 bit) of their UTF-16 code units, the
 * parts being separated by a NUL. Parts that differ in one character give numbers that have nothing to do with each other, so each
 * question about a user ("which variation", "in the experiment at all") is asked with parts of its own.
 */
export function uniform (...parts: readonly string[]): number {
  return (murmur3(parts.join('\0')) + 0.5) / 2 ** 32
}

/** Returns MurmurHash3 (x86, 32 bit, seed 0) of a text's UTF-16 code units, little-endian. Source: Austin Appleby, public domain. */
export function murmur3 (text: string): number {
  const { length } = text
  let hash = 0
  let i = 0
  for (; i + 1 < length; i += 2) {
    hash ^= scrambled(text.charCodeAt(i) | text.charCodeAt(i + 1) << 16)
    hash = Math.imul(hash << 13 | hash >>> 19, 5) + 0xe6546b64 | 0
  }
  if (i < length) hash ^= scrambled(text.charCodeAt(i))
  hash ^= length * 2
  hash = Math.imul(hash ^ hash >>> 16, 0x85ebca6b)
  hash = Math.imul(hash ^ hash >>> 13, 0xc2b2ae35)
  return (hash ^ hash >>> 16) >>> 0
}

function scrambled (block: number): number {
  const mixed = Math.imul(block, 0xcc9e2d51)
  return Math.imul(mixed << 15 | mixed >>> 17, 0x1b873593)
}
