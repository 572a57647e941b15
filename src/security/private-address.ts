import { BlockList, isIP } from 'node:net'

/** Loopback, private and link-local ranges. */
const ranges = ['127.0.0.0/8', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', '::1/128', 'fc00::/7', 'fe80::/10']

const list = new BlockList()
for (const range of ranges) {
  const [network, bits] = range.split('/') as [string, string]
  list.addSubnet(network, Number(bits), isIP(network) === 6 ? 'ipv6' : 'ipv4')
}

/** Returns whether an address is not of the public internet. */
export function isPrivateAddress (address: string): boolean {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
  const family = isIP(plain)
  return family !== 0 && list.check(plain, family === 6 ? 'ipv6' : 'ipv4')
}

/**
 * Returns whether a request comes from a private address, through private addresses only. A client can add addresses to what proxies
 * forward, and each one can only make the answer false.
 */
export function isFromPrivate (remoteAddress: string | undefined, headers: Readonly<Record<string, string | string[] | undefined>>): boolean {
  if (remoteAddress === undefined || !isPrivateAddress(remoteAddress)) return false
  // These name addresses in forms of their own.
  if (headers['forwarded'] !== undefined || headers['cloudfront-viewer-address'] !== undefined) return false
  const forwarded = headers['x-forwarded-for']
  return forwarded === undefined || String(forwarded).split(',').every(part => isPrivateAddress(part.trim()))
}
