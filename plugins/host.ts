import type { IncomingMessage } from 'node:http'
import { isIPv6 } from 'node:net'
import fp from 'fastify-plugin'
import { GatewayError } from '../src/base/errors.ts'

/** A host name or an IPv4 address (RFC 3986 §3.2.2), and the same for an address in brackets, each with or without a port. */
const named = /^(?:[\w.~!$&'()*+,;=-]|%[\da-f]{2}){1,255}(?::\d{0,5})?$/i
const bracketed = /^\[([\da-f:.]+)\](?::\d{0,5})?$/i

/** Refuses requests whose Host is missing, repeated or malformed, as RFC 9112 §3.2 demands. HTTP/1.0 needs no Host. */
export default fp(async app => {
  // Most requests of a process name the same host.
  let valid = ''

  app.addHook('onRequest', ({ raw }, _reply, done) => {
    const problem = problemOf(raw)
    if (problem === undefined) done()
    else done(new GatewayError('InvalidRequest', `Host: ${problem}`))
  })

  function problemOf ({ headers: { host }, rawHeaders, httpVersion }: IncomingMessage): string | undefined {
    if (host === undefined) return httpVersion === '1.0' ? undefined : 'is missing; expected the name of this service'
    if (countHosts(rawHeaders) > 1) return 'expected one, got several'
    if (host === valid) return undefined
    if (!isHost(host)) return 'expected the name of a host, or its address, and a port where one is needed'
    valid = host
    return undefined
  }
}, { name: 'host', dependencies: ['errors'] })

/** Counts the headers of this name. Node.js keeps only the first in `headers`. */
function countHosts (rawHeaders: readonly string[]): number {
  let count = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]!.length === 4 && rawHeaders[i]!.toLowerCase() === 'host') count++
  }
  return count
}

function isHost (host: string): boolean {
  const [, address] = bracketed.exec(host) ?? []
  const [, port = '0'] = /:(\d+)$/.exec(host) ?? []
  return Number(port) <= 65_535 && (address === undefined ? named.test(host) : isIPv6(address))
}
