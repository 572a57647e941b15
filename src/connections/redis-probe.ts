import { connect as connectPlainly } from 'node:net'
import { connect as connectSecurely } from 'node:tls'

/**
 * Returns whether a server answers at all, on a connection that is made for the question: any answer counts, a refusal too. A client
 * that waits for its own connection learns that only when its attempt is over.
 * @param url `redis://` or `rediss://` @param within the longest wait, in ms
 */
export async function answers (url: string, within: number): Promise<boolean> {
  const { protocol, hostname, port } = new URL(url)
  const address = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 6379) }
  return new Promise(resolve => {
    // Who answers is not checked: nothing that is said here is a secret.
    const socket = protocol === 'rediss:' ? connectSecurely({ ...address, rejectUnauthorized: false }) : connectPlainly(address)
    const end = (answered: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answered)
    }
    const timer = setTimeout(() => { end(false) }, within)
    socket.once(protocol === 'rediss:' ? 'secureConnect' : 'connect', () => { socket.write('PING\r\n') })
    socket.once('data', () => { end(true) })
    socket.once('error', () => { end(false) })
    socket.once('close', () => { end(false) })
  })
}
