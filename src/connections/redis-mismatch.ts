import { connect as connectPlainly, isIP } from 'node:net'
import { connect as connectSecurely } from 'node:tls'

/** How a server is spoken to: by TLS (`rediss://`) or without it (`redis://`). */
type Manner = 'tls' | 'plain'

/** The longest wait for an answer, in ms. */
const longestWait = 1_000

/**
 * Returns an error, with the code `TLS`, if the server at a URL answers with TLS where the URL has none, or the reverse. The client itself
 * gets no answer, or sees its connection break. Returns undefined if that is not the cause.
 */
export async function mismatchOf (url: string): Promise<Error | undefined> {
  const asked: Manner = new URL(url).protocol === 'rediss:' ? 'tls' : 'plain'
  const other: Manner = asked === 'tls' ? 'plain' : 'tls'
  if (!await speaks(url, other)) return undefined
  const message = other === 'tls' ? 'the server speaks TLS; expected rediss:// in REDIS_URL' : 'the server does not speak TLS; expected redis:// in REDIS_URL'
  return Object.assign(new Error(message), { code: 'TLS' })
}

/** Returns whether a server completes a TLS handshake, or answers a plain PING. It sends no secret, so that it checks no certificate. */
async function speaks (url: string, manner: Manner): Promise<boolean> {
  const { hostname, port } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  const address = { host, port: Number(port || 6379), ...(isIP(host) === 0 ? { servername: host } : {}) }
  return new Promise(resolve => {
    const socket = manner === 'tls' ? connectSecurely({ ...address, rejectUnauthorized: false }) : connectPlainly(address)
    const end = (does: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(does)
    }
    const timer = setTimeout(() => { end(false) }, longestWait)
    if (manner === 'tls') {
      socket.once('secureConnect', () => { end(true) })
    } else {
      socket.once('connect', () => { socket.write('PING\r\n') })
      socket.once('data', (answer: Buffer) => { end(/^[+-]/.test(answer.toString('latin1'))) })
    }
    socket.once('error', () => { end(false) })
    socket.once('close', () => { end(false) })
  })
}
