import { connect as connectPlainly, isIP } from 'node:net'
import { connect as connectSecurely } from 'node:tls'

/**
 * Returns whether a server answers a PING on a new connection. A refusal counts as an answer, unless the server says that it is loading
 * or has lost its primary. The existing client would learn that the server answers only at the end of its attempt to connect.
 * @param url `redis://` or `rediss://` @param within the longest wait, in ms
 */
export async function answers (url: string, within: number): Promise<boolean> {
  const answer = await ping(url, isSecure(url), within)
  return answer !== undefined && !/^-(LOADING|MASTERDOWN)/.test(answer)
}

/** Returns whether a URL asks for TLS. */
export function isSecure (url: string): boolean {
  return new URL(url).protocol === 'rediss:'
}

/** Returns what a server answers to a PING on a new connection, with or without TLS; undefined if it does not answer in time. */
export async function ping (url: string, secure: boolean, within: number): Promise<string | undefined> {
  const { hostname, port } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  const address = { host, port: Number(port || 6379), ...(isIP(host) === 0 ? { servername: host } : {}) }
  return new Promise(resolve => {
    // The certificate is not checked: a PING has no secret.
    const socket = secure ? connectSecurely({ ...address, rejectUnauthorized: false }) : connectPlainly(address)
    const end = (answer?: string): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    // If this process was busy or paused, an answer may have arrived. `setImmediate` lets it be read before the timeout counts.
    const timer = setTimeout(() => { setImmediate(end) }, within)
    socket.once(secure ? 'secureConnect' : 'connect', () => { socket.write('PING\r\n') })
    socket.once('data', (answer: Buffer) => { end(answer.toString('latin1')) })
    socket.once('error', () => { end() })
    socket.once('close', () => { end() })
  })
}
