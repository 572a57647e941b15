import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { GatewayError } from '../src/base/errors.ts'
import { unauthorized } from '../src/security/gate.ts'

/**
 * Answers a malformed HTTP request, one with too large headers, or one that is too slow, with an error in the contract's form.
 * @param challenge the value of `WWW-Authenticate` for a bad token; undefined if requests need none
 */
export function refuseClient (error: Error & { code?: string, rawPacket?: unknown }, socket: Socket, challenge?: string): void {
  if (error.code === 'ECONNRESET') return
  if (challenge !== undefined && isLongToken(error)) refuseSocket(socket, unauthorized(), [`WWW-Authenticate: ${challenge}`])
  else refuseSocket(socket, describe(error))
}

/** Answers a request that Node.js gives without a response to write to, and closes its connection. @param headers more header lines */
export function refuseSocket (socket: Socket, { status, type, code, message }: GatewayError, headers: string[] = []): void {
  if (!socket.writable) return
  const requestId = randomUUID()
  const body = JSON.stringify({ type, code, message, requestId })
  // The client may have gone.
  socket.on('error', () => {})
  socket.end([
    `HTTP/1.1 ${status} ${code}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    `X-Request-Id: ${requestId}`,
    ...headers,
    'Connection: close',
    '',
    body
  ].join('\r\n'))
}

/** Returns whether a token made the headers too large, so that it is refused like any other bad token. */
function isLongToken ({ code, rawPacket }: { code?: string, rawPacket?: unknown }): boolean {
  return code === 'HPE_HEADER_OVERFLOW' && Buffer.isBuffer(rawPacket) && /\r\nauthorization: *bearer [\w.-]{8000}/i.test(rawPacket.toString('latin1'))
}

function describe ({ code }: { code?: string }): GatewayError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW': return new GatewayError('HeadersTooLarge', 'the request line and headers are too large')
    case 'ERR_HTTP_REQUEST_TIMEOUT': return new GatewayError('RequestTimeout', 'the request did not arrive in time')
    default: return new GatewayError('InvalidRequest', 'this is not a valid HTTP request')
  }
}
