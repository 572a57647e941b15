/** The supported content encodings. At equal weights the gateway prefers the first. */
export const encodings = ['br', 'gzip'] as const
export type Encoding = typeof encodings[number]

/** The least length, in bytes, of a body that the gateway encodes. Of a shorter answer, most is the head. */
export const leastEncoded = 1024

/** A body as the gateway sends it, with its validator. */
export interface Representation {
  readonly body: Buffer
  /** A strong validator, with its quotes. */
  readonly etag: string
  /** The encoding of the body; absent for the plain body. */
  readonly encoding?: Encoding
}

/** The encoded representations that exist; null for an encoding that would not make the body smaller. */
export type Encoded = Readonly<Partial<Record<Encoding, Representation | null>>>

/** Returns the validator of an encoded body. Each representation has its own (RFC 9110 §8.8.3.3). */
export function encodedTag (etag: string, encoding: Encoding): string {
  return `${etag.slice(0, -1)}.${encoding}"`
}

/** Returns the validator of the plain body, given the validator of the plain body or of one of its encodings. */
export function plainTag (etag: string): string {
  const encoding = encodings.find(name => etag.endsWith(`.${name}"`))
  return encoding === undefined ? etag : `${etag.slice(0, -encoding.length - 2)}"`
}

/** Returns the representation that the client prefers among those that exist. */
export function select (plain: Representation & { readonly encoded?: Encoded }, accepted: readonly Encoding[]): Representation {
  for (const encoding of accepted) {
    const found = plain.encoded?.[encoding]
    if (found != null) return found
  }
  return plain
}

const none: readonly Encoding[] = []

/** The limits of the table of parsed fields. Clients send few different fields; the gateway parses further ones each time. */
const mostRemembered = 100
const longestRemembered = 200
const remembered = new Map<string, readonly Encoding[]>()

/**
 * Returns the encodings that an `Accept-Encoding` field allows, the preferred one first (RFC 9110 §12.5.3). Leaves out encodings to which
 * the client prefers the plain body. A client that refuses the plain body still gets it if there is no other.
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
  // Sorting is stable: at equal weights, the order of `encodings` stays.
  return weighted.filter(({ weight }) => weight > 0 && weight >= least).sort((a, b) => b.weight - a.weight).map(({ encoding }) => encoding)
}

/** Returns the weight among the parameters. Treats an invalid one as a refusal, since every client understands the plain body. */
function weightOf (parameters: readonly string[]): number {
  const [weight] = parameters.filter(parameter => /^q\s*=/.test(parameter))
  if (weight === undefined) return 1
  const [, digits] = /^q\s*=\s*([01](?:\.\d*)?)$/.exec(weight) ?? []
  return digits === undefined ? 0 : Math.min(1, Number(digits))
}
