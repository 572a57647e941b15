import { connect as connectPlainly, isIP } from 'node:net'
import { connect as connectSecurely } from 'node:tls'

/**
 * Returns whether a server answers a PING on a new connection. A refusal counts as an answer, unless the server says that it is loading
 * or has lost its primary. The existing client would learn that the server answers only at the end of its attempt to connect.
 * @param url `redis://` or `rediss://` @param within the longest wait, in ms
 */
export async function answers (url: string, within: number): Promise<boolean> {
  const { protocol, hostname, port } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  const address = { host, port: Number(port || 6379), ...(isIP(host) === 0 ? { servername: host } : {}) }
  return new Promise(resolve => {
    // The certificate is not checked: the probe sends no secret.
    const socket = protocol === 'rediss:' ? connectSecurely({ ...address, rejectUnauthorized: false }) : connectPlainly(address)
    const end = (answered: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answered)
    }
    // If this process was busy or paused, an answer may have arrived. `setImmediate` lets it be read before the timeout counts.
    const timer = setTimeout(() => { setImmediate(() => { end(false) }) }, within)
    socket.once(protocol === 'rediss:' ? 'secureConnect' : 'connect', () => { socket.write('PING\r\n') })
    socket.once('data', (answer: Buffer) => { end(!/^-(LOADING|MASTERDOWN)/.test(answer.toString('latin1'))) })
    socket.once('error', () => { end(false) })
    socket.once('close', () => { end(false) })
  })
}
