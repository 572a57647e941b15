import { apiKeyScheme, createKeyRing } from './api-keys.ts'
import type { JwtOptions, JwtSchemeOptions, TokenTools } from './jwt.ts'
import { followKeys, type KeySource } from './key-sources.ts'
import type { Scheme } from './scheme.ts'

/** The credentials that a process takes. */
export interface Credentials {
  /** A key of any form with the scope `admin`, which is valid under every scheme; absent: none. */
  adminKey?: string | undefined
  /** The sources of API keys. */
  keySources?: readonly KeySource[]
  /** The tokens that the scheme `jwt` takes. */
  jwt?: JwtOptions | undefined
}

export interface OpenOptions extends Pick<JwtSchemeOptions, 'now' | 'steady' | 'onError' | 'onRefused'> {
  /** Opens the functions that decode and verify tokens. */
  tokenTools: () => Promise<TokenTools>
}

type Open = (credentials: Credentials, options: OpenOptions) => Promise<Scheme>

/** All schemes, by their names in `AUTH_SCHEME`, in the order in which a request's credentials are tried. */
export const schemes = {
  'api-key': openApiKeys,
  jwt: openJwt
} as const satisfies Record<string, Open>

export type SchemeName = keyof typeof schemes

async function openApiKeys ({ adminKey, keySources = [] }: Credentials, { onError }: OpenOptions): Promise<Scheme> {
  const ring = createKeyRing(adminKey)
  const close = await followKeys(keySources, { onKeys: ring.replace, onError })
  return { ...apiKeyScheme(ring), close }
}

async function openJwt ({ jwt }: Credentials, { tokenTools, ...options }: OpenOptions): Promise<Scheme> {
  if (jwt === undefined) throw new Error('the scheme "jwt" has no options')
  // Only processes that take tokens load the libraries for them.
  const { openJwtScheme } = await import('./jwt.ts')
  return openJwtScheme({ ...jwt, ...options, tools: await tokenTools() })
}

/**
 * Opens the schemes of a process. With none, keys still open the routes that `AUTH_SCHEME=none` leaves closed. Where only `jwt` is on, the
 * admin key is the only key.
 */
export async function openSchemes (names: readonly SchemeName[], credentials: Credentials, options: OpenOptions): Promise<Scheme[]> {
  const { adminKey } = credentials
  const opened = (Object.keys(schemes) as SchemeName[]).map(async name => {
    if (names.includes(name) || (name === 'api-key' && names.length === 0)) return schemes[name](credentials, options)
    return name === 'api-key' && adminKey !== undefined ? openApiKeys({ adminKey }, options) : undefined
  })
  return (await Promise.all(opened)).filter(scheme => scheme !== undefined)
}
