import { connect as connectPlainly, isIP } from 'node:net'
import { connect as connectSecurely } from 'node:tls'

/**
 * Returns whether a server answers, on a connection that is made for the question. A refusal counts as an answer, unless the server says
 * that it serves nobody yet. A client that waits for its own connection learns that only when its attempt is over.
 * @param url `redis://` or `rediss://` @param within the longest wait, in ms
 */
export async function answers (url: string, within: number): Promise<boolean> {
  const { protocol, hostname, port } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  const address = { host, port: Number(port || 6379), ...(isIP(host) === 0 ? { servername: host } : {}) }
  return new Promise(resolve => {
    // Who answers is not checked: nothing that is said here is a secret.
    const socket = protocol === 'rediss:' ? connectSecurely({ ...address, rejectUnauthorized: false }) : connectPlainly(address)
    const end = (answered: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answered)
    }
    // What has arrived while this process was busy or paused is read before the time counts as over.
    const timer = setTimeout(() => { setImmediate(() => { end(false) }) }, within)
    socket.once(protocol === 'rediss:' ? 'secureConnect' : 'connect', () => { socket.write('PING\r\n') })
    socket.once('data', (answer: Buffer) => { end(!/^-(LOADING|MASTERDOWN)/.test(answer.toString('latin1'))) })
    socket.once('error', () => { end(false) })
    socket.once('close', () => { end(false) })
  })
}
