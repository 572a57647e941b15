/** A connection of the clients of benchmarks. It reads of an answer only the status and the length, to use little of the core. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface RawConnection {
  socket: Socket
  /** When its current request was due, on the clock of `performance`. */
  due: number
  /** The status of the last answer. */
  status: number
  /** The bytes of the arriving answer that are still missing; negative before its head has arrived. */
  missing: number
}

const contentLength = Buffer.from('\r\ncontent-length: ')
const endOfHead = Buffer.from('\r\n\r\n')

/** Opens a connection. @param finish called when an answer has arrived completely */
export async function openConnection (port: number, finish: (connection: RawConnection) => void): Promise<RawConnection> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  const connection: RawConnection = { socket, due: 0, status: 0, missing: -1 }
  let head: Buffer | undefined
  socket.on('data', chunk => {
    if (connection.missing < 0) {
      head = head === undefined ? chunk : Buffer.concat([head, chunk])
      const end = head.indexOf(endOfHead)
      if (end < 0) return
      connection.status = readStatus(head)
      connection.missing = end + endOfHead.length + readLength(head) - head.length
      head = undefined
    } else {
      connection.missing -= chunk.length
    }
    if (connection.missing === 0) finish(connection)
  })
  socket.on('error', fail)
  socket.on('close', () => fail(new Error('the server closed a connection')))
  return connection
}

/** Returns the status, which follows `HTTP/1.1 `. */
function readStatus (head: Buffer): number {
  return Number(head.toString('latin1', 9, 12))
}

function readLength (head: Buffer): number {
  const start = head.indexOf(contentLength) + contentLength.length
  return Number(head.toString('latin1', start, head.indexOf('\r', start)))
}

export function nanoseconds (ms: number): number {
  return Math.max(1, Math.round(ms * 1e6))
}

export function fail (error: Error): never {
  console.error(String(error))
  process.exit(1)
}
