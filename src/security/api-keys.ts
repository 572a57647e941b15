import { hash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto'
import Type, { type Static } from 'typebox'
import { closed, NameSchema } from '../base/schema.ts'
import { UserError } from '../base/user-error.ts'
import { checker } from '../base/validation.ts'
import { scopes, type Principal } from './access.ts'
import type { Scheme } from './scheme.ts'

/** The record of a key: everything but its secret. */
export const ApiKeySchema = closed({
  id: Type.String({ pattern: '^[A-Za-z0-9-]{1,64}$' }),
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  scopes: Type.Array(Type.Enum([...scopes]), { minItems: 1, maxItems: scopes.length }),
  namespaces: Type.Optional(Type.Array(NameSchema, { minItems: 1, maxItems: 1000 })),
  description: Type.Optional(Type.String({ maxLength: 1000 }))
})

export type ApiKey = Static<typeof ApiKeySchema>

const mostKeys = 10_000
const checkKeys = checker(Type.Array(ApiKeySchema, { minItems: 1, maxItems: mostKeys }))

/**
 * Parses keys: a JSON array of records, or a record on each line.
 * @throws UserError that names the wrong members, and quotes nothing
 */
export function parseKeys (text: string): ApiKey[] {
  const { value, findings } = checkKeys(readJson(text.trim()))
  if (findings.length > 0) throw new UserError(findings.map(({ pointer, message }) => `keys${pointer}: ${message}`).join('\n'))
  if (new Set(value.map(({ id }) => id)).size < value.length) throw new UserError('keys: expected ids that differ')
  return value
}

function readJson (text: string): unknown {
  try {
    return text.startsWith('[') ? JSON.parse(text) : text.split(/\r?\n/).filter(line => line.trim() !== '').map(line => JSON.parse(line) as unknown)
  } catch {
    // The message of the parser would quote the text.
    throw new UserError('keys: expected a JSON array of records, or a record in JSON on each line')
  }
}

/** Makes a key. @returns its text, which only its user may have, and its record for the gateway */
export function createKey (limits: Pick<ApiKey, 'scopes' | 'namespaces' | 'description'>): { key: string, record: ApiKey } {
  const id = Array.from({ length: 12 }, () => idCharacters[randomInt(idCharacters.length)]).join('')
  const secret = randomBytes(32).toString('base64url')
  return { key: `pg_${id}_${secret}`, record: { id, sha256: digest(secret).toString('hex'), ...limits } }
}

const idCharacters = 'abcdefghijklmnopqrstuvwxyz0123456789'

/** Splits a key into id and secret. A text of another form, such as an admin key, is a secret without an id. */
function split (key: string): { id: string, secret: string } {
  const end = key.startsWith('pg_') ? key.indexOf('_', 3) : -1
  return end < 0 ? { id: '', secret: key } : { id: key.slice(3, end), secret: key.slice(end + 1) }
}

function digest (secret: string): Buffer {
  return hash('sha256', secret, 'buffer')
}

interface KnownKey {
  digest: Buffer
  principal: Principal
}

/** Compared with the secret of a key whose id is unknown, so that such a key takes as long as any other. */
const unknownKey: KnownKey = { digest: randomBytes(32), principal: { kind: 'key', id: undefined, scopes: new Set(), namespaces: new Set(), user: undefined } }

/** Finds the principals of keys. */
export interface KeyRing {
  /** Returns the principal of a key; undefined for a wrong one. The time that it takes does not depend on the id and the secret. */
  find: (key: string) => Principal | undefined
  /** Replaces the keys. */
  replace: (keys: readonly ApiKey[]) => void
}

/** @param adminKey a key of any form, with the scope `admin` */
export function createKeyRing (adminKey?: string): KeyRing {
  let known = new Map<string, KnownKey>()
  const admin = adminKey === undefined ? undefined : knownAdmin(adminKey)
  const replace = (keys: readonly ApiKey[]): void => {
    known = new Map(keys.map(key => [key.id, knownKeyOf(key)]))
    if (admin !== undefined) known.set(...admin)
  }
  replace([])
  return {
    find (key) {
      const { id, secret } = split(key)
      const candidate = known.get(id) ?? unknownKey
      const matches = timingSafeEqual(digest(secret), candidate.digest)
      return matches && candidate !== unknownKey ? candidate.principal : undefined
    },
    replace
  }
}

function knownKeyOf ({ id, sha256, scopes, namespaces }: ApiKey): KnownKey {
  const principal: Principal = { kind: 'key', id, scopes: new Set(scopes), namespaces: namespaces && new Set(namespaces), user: undefined }
  return { digest: Buffer.from(sha256, 'hex'), principal }
}

function knownAdmin (adminKey: string): [id: string, known: KnownKey] {
  const { id, secret } = split(adminKey)
  return [id, { digest: digest(secret), principal: { kind: 'key', id: 'admin', scopes: new Set(['admin']), namespaces: undefined, user: undefined } }]
}

/** Returns the scheme of the header `X-Api-Key`. */
export function apiKeyScheme ({ find }: Pick<KeyRing, 'find'>): Scheme {
  return {
    openapi: { name: 'ApiKey', scheme: { type: 'apiKey', in: 'header', name: 'X-Api-Key', description: 'A key of the gateway: `pg_…`.' } },
    verdict (headers) {
      const key = headers['x-api-key']
      return typeof key === 'string' && key !== '' ? find(key) ?? 'refused' : 'none'
    },
    challenge: () => 'ApiKey realm="gateway"',
    close () {}
  }
}
