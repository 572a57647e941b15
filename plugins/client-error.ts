import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { GatewayError } from '../src/base/errors.ts'
import { unauthorized } from '../src/security/gate.ts'

/** The error of Node.js for bytes that are no request. */
export interface ClientError extends Error {
  code?: string
  /** The bytes that were read last, in a Buffer; undefined if the request was too slow. */
  rawPacket?: unknown
}

/**
 * Answers a malformed HTTP request, one with too large headers, or one that is too slow, with an error in the contract's form.
 * @param headersFor returns more headers for the answer to a page of an origin
 * @param challenge the value of `WWW-Authenticate` for a bad token; undefined if requests need none
 */
export function refuseClient (error: ClientError, socket: Socket, headersFor: (origin: string | undefined) => Record<string, string>, challenge?: string): void {
  if (error.code === 'ECONNRESET') return
  const headers = headersFor(originOf(error, socket))
  if (challenge !== undefined && isLongToken(error)) refuseSocket(socket, unauthorized(), { ...headers, 'WWW-Authenticate': challenge })
  else refuseSocket(socket, describe(error), headers)
}

/** Returns the origin of a request that Node.js could not read to its end: from its headers if it has read these, or from its bytes. */
function originOf ({ rawPacket }: ClientError, socket: Socket): string | undefined {
  // Node.js has no public way from a socket to the request that it is reading.
  const { parser } = socket as { parser?: { incoming?: { headers: Record<string, string | undefined> } | null } | null }
  const origin = parser?.incoming?.headers['origin']
  if (origin !== undefined || !Buffer.isBuffer(rawPacket)) return origin
  return rawPacket.toString('latin1').match(/(?<=\r\n?|\n)origin:[ \t]*[!-~]+(?=[ \t]*(?:\r|\n|$))/gi)?.at(-1)?.replace(/^.*?:[ \t]*/, '')
}

/** Answers a request that Node.js gives without a response to write to, and closes its connection. @param headers more headers */
export function refuseSocket (socket: Socket, { status, type, code, message }: GatewayError, headers: Record<string, string> = {}): void {
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
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
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
