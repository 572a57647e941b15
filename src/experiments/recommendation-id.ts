import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { murmur3 } from './uniform.ts'

/** The list that a recommendation id stands for. */
export interface ListIdentity {
  readonly namespace: string
  readonly action: string
  readonly recommender: string
  /** The experiment that the list was served under; absent outside of one. */
  readonly feature?: string | undefined
  readonly variation: string
  readonly userId?: string | undefined
}

export interface RecommendationIds {
  /**
   * Returns an id for a list. A list with the items of an earlier one has the earlier one's id while that is remembered, so that an answer
   * made anew is equal to the one that a client may hold.
   */
  readonly issue: (identity: ListIdentity, itemIds: readonly string[]) => string
  /** Returns a reader of an id, or undefined if this gateway did not issue it. */
  readonly open: (id: string) => IssuedId | undefined
}

/** An id that this gateway issued. It holds digests only, so it is asked whether it stands for something. */
export interface IssuedId {
  readonly isFor: (identity: ListIdentity) => boolean
  /** When the list was made, in epoch ms, to the minute. */
  readonly madeAt: number
}

/** The most lists whose ids are remembered; each takes some 200 bytes. */
const mostRemembered = 50_000

/** The secrets of ids: the first one signs, and each of them is accepted. */
export type Secrets = readonly [current: string, ...earlier: string[]]

const version = 1
const macLength = 12
/** Version, three digests, minute, number. */
const bodyLength = 1 + 4 + 4 + 4 + 4 + 1

/**
 * Issues and opens recommendation ids: 30 bytes in 40 characters of base64url, which is what Amazon Personalize lets an id have. They
 * hold the version, digests of place, variation and user, the minute, a list number, and the first 12 bytes of an HMAC-SHA256.
 * @param now epoch ms
 */
export function recommendationIds (secrets: () => Secrets, now: () => number): RecommendationIds {
  let issued = 0
  const lately = new LRUCache<string, string>({ max: mostRemembered })
  const macOf = (body: Buffer, secret: string): Buffer => createHmac('sha256', secret).update(body).digest().subarray(0, macLength)

  function sign (identity: ListIdentity): string {
    const body = Buffer.alloc(bodyLength)
    body.writeUInt8(version, 0)
    digestsOf(identity).forEach((digest, i) => body.writeUInt32BE(digest, 1 + 4 * i))
    body.writeUInt32BE(Math.floor(now() / 60_000), 13)
    body.writeUInt8(issued++ % 256, 17)
    return Buffer.concat([body, macOf(body, secrets()[0])]).toString('base64url')
  }

  return {
    issue (identity, itemIds) {
      const key = hash('sha1', JSON.stringify([identity, itemIds]), 'base64url')
      const id = lately.get(key) ?? sign(identity)
      lately.set(key, id)
      return id
    },
    open (id) {
      const bytes = Buffer.from(id, 'base64url')
      if (bytes.length !== bodyLength + macLength || bytes[0] !== version || bytes.toString('base64url') !== id) return undefined
      const body = bytes.subarray(0, bodyLength)
      if (!secrets().some(secret => timingSafeEqual(bytes.subarray(bodyLength), macOf(body, secret)))) return undefined
      return {
        isFor: identity => digestsOf(identity).every((digest, i) => body.readUInt32BE(1 + 4 * i) === digest),
        madeAt: body.readUInt32BE(13) * 60_000
      }
    }
  }
}

function digestsOf ({ namespace, action, recommender, feature, variation, userId }: ListIdentity): number[] {
  return [murmur3([namespace, action, recommender, feature ?? ''].join('\0')), murmur3(variation), userId === undefined ? 0 : murmur3(userId)]
}
