import { isIP } from 'node:net'

const names: ReadonlySet<string> = new Set(['loopback', 'linklocal', 'uniquelocal'])

export const trustProxyFormat = 'expected addresses and networks of proxies with commas between them, such as 10.0.0.0/8, or loopback, linklocal or uniquelocal; not all addresses, since a client can forge the first entries of X-Forwarded-For'

/**
 * Reads the setting that names the proxies whose `X-Forwarded-For` counts.
 * @returns the entries, as Fastify's `trustProxy` takes them; undefined if one is neither an address, nor a network, nor a name
 */
export function readTrustProxy (text: string): string[] | undefined {
  const entries = text.split(',').map(entry => entry.trim())
  return entries.every(entry => names.has(entry) || isNetwork(entry)) ? entries : undefined
}

function isNetwork (entry: string): boolean {
  const [address = '', bits, ...more] = entry.split('/')
  const family = isIP(address)
  if (family === 0 || more.length > 0) return false
  if (bits === undefined) return !/^(0\.0\.0\.0|::)$/.test(address)
  // A mask this short trusts a large part of all addresses.
  return /^\d{1,3}$/.test(bits) && Number(bits) >= (family === 4 ? 8 : 7) && Number(bits) <= (family === 4 ? 32 : 128)
}
