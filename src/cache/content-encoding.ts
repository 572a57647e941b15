/** What bodies may be encoded in; at equal weights the first is preferred. */
export const encodings = ['br', 'gzip'] as const
export type Encoding = typeof encodings[number]

/** Shorter bodies go out as they are: most of such an answer is its head. In bytes. */
export const leastEncoded = 1024

/** A body with its validator, as it is sent. */
export interface Representation {
  readonly body: Buffer
  /** Strong, with its quotes. */
  readonly etag: string
  /** Absent: the body goes out as it was made. */
  readonly encoding?: Encoding
}

/** The encoded representations that exist; null for one that would not be smaller. */
export type Encoded = Readonly<Partial<Record<Encoding, Representation | null>>>

/** Returns the validator of an encoded body: each representation has one of its own (RFC 9110 §8.8.3.3). */
export function encodedTag (etag: string, encoding: Encoding): string {
  return `${etag.slice(0, -1)}.${encoding}"`
}

/** Returns the validator of the plain body of which this one is the same or an encoding. */
export function plainTag (etag: string): string {
  const encoding = encodings.find(name => etag.endsWith(`.${name}"`))
  return encoding === undefined ? etag : `${etag.slice(0, -encoding.length - 2)}"`
}

/** Returns what a request is answered with: the representation that it prefers of those that exist. */
export function select (plain: Representation & { readonly encoded?: Encoded }, accepted: readonly Encoding[]): Representation {
  for (const encoding of accepted) {
    const found = plain.encoded?.[encoding]
    if (found != null) return found
  }
  return plain
}

const none: readonly Encoding[] = []

/** Clients send few different fields. One that sends many gets them read each time. */
const mostRemembered = 100
const longestRemembered = 200
const remembered = new Map<string, readonly Encoding[]>()

/**
 * Returns the encodings that an `Accept-Encoding` field allows, the preferred one first (RFC 9110 §12.5.3). It has none of those to
 * which the client prefers the plain body. A client that refuses the plain body gets it all the same where there is no other.
 */
export function acceptedEncodings (field: string | undefined): readonly Encoding[] {
  if (field === undefined) return none
  const known = remembered.get(field)
  if (known !== undefined) return known
  const accepted = read(field)
  if (remembered.size < mostRemembered && field.length <= longestRemembered) remembered.set(field, accepted)
  return accepted
}

function read (field: string): readonly Encoding[] {
  const weights = new Map<string, number>()
  for (const element of field.toLowerCase().split(',')) {
    const [name, ...parameters] = element.split(';').map(part => part.trim()) as [string, ...string[]]
    const coding = name === 'x-gzip' ? 'gzip' : name
    if (coding !== '' && !weights.has(coding)) weights.set(coding, weightOf(parameters))
  }
  const others = weights.get('*') ?? 0
  const least = weights.get('identity') ?? 0
  const weighted = encodings.map(encoding => ({ encoding, weight: weights.get(encoding) ?? others }))
  // Sorting is stable: at equal weights the order of our own preference stays.
  return weighted.filter(({ weight }) => weight > 0 && weight >= least).sort((a, b) => b.weight - a.weight).map(({ encoding }) => encoding)
}

/** One that is no weight stands for a refusal: plain is what any client understands. */
function weightOf (parameters: readonly string[]): number {
  const [weight] = parameters.filter(parameter => /^q\s*=/.test(parameter))
  if (weight === undefined) return 1
  const [, digits] = /^q\s*=\s*([01](?:\.\d*)?)$/.exec(weight) ?? []
  return digits === undefined ? 0 : Math.min(1, Number(digits))
}
