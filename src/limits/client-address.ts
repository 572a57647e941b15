import { isIP } from 'node:net'

/**
 * Returns the text that stands for a client's address in counters: an IPv4 address, or the /64 network of an IPv6 address, since a client
 * has all addresses of its network. Undefined if the text is no address. Takes forms with a port, with a zone, and IPv4 within IPv6.
 */
export function addressBucket (text: string | undefined): string | undefined {
  const address = text === undefined ? undefined : plainAddress(text.trim())
  if (address === undefined) return undefined
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  return isIP(address) === 4 ? address : network(address)
}

/** Returns an address without the port, brackets and zone that some proxies add. */
function plainAddress (text: string): string | undefined {
  const unzoned = (address: string): string => address.replace(/%[^\]]*$/, '')
  const inBrackets = /^\[(.*)\](?::\d+)?$/.exec(text)?.[1]
  const candidates = inBrackets === undefined ? [unzoned(text), text.replace(/:\d+$/, '')] : [unzoned(inBrackets)]
  return candidates.find(candidate => isIP(candidate) !== 0)
}

/** Returns the first four groups of an IPv6 address. */
function network (address: string): string {
  const [head = '', tail] = address.toLowerCase().split('::')
  const groups = head === '' ? [] : head.split(':')
  if (tail !== undefined) {
    const after = tail === '' ? 0 : tail.split(':').length + (tail.includes('.') ? 1 : 0)
    while (groups.length + after < 8) groups.push('0')
    groups.push(...tail.split(':'))
  }
  return `${groups.slice(0, 4).map(group => group.replace(/^0+(?=.)/, '')).join(':')}::/64`
}

/**
 * Returns the address of the viewer that CloudFront names as `address:port`; the address may be IPv6, without brackets. Only valid if
 * nobody but CloudFront can reach the gateway.
 */
export function viewerBucket (header: string | string[] | undefined): string | undefined {
  if (typeof header !== 'string') return undefined
  return addressBucket(/^(.*[^:]):\d{1,5}$/.exec(header.trim())?.[1])
}
