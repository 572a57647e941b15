import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { GatewayError } from '../src/base/errors.ts'

/** Answers a malformed HTTP request, one with too large headers, or one that is too slow, with an error in the contract's form. */
export function refuseClient (error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return
  const { status, type, code, message } = describe(error)
  const body = JSON.stringify({ type, code, message, requestId: randomUUID() })
  socket.end([
    `HTTP/1.1 ${status} ${code}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    '',
    body
  ].join('\r\n'))
}

function describe ({ code }: { code?: string }): GatewayError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW': return new GatewayError('HeadersTooLarge', 'the request line and headers are too large')
    case 'ERR_HTTP_REQUEST_TIMEOUT': return new GatewayError('RequestTimeout', 'the request did not arrive in time')
    default: return new GatewayError('InvalidRequest', 'this is not a valid HTTP request')
  }
}
