import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import type { Test } from 'tap'

export interface RawServer {
  url: string
  /** `host:port` */
  host: string
  /** The heads of the requests, byte for byte (as latin1), oldest first. */
  heads: string[]
  /** Whether the server accepts requests without answering. */
  silent: boolean
  /** Returns the largest number of simultaneous connections. */
  mostConnections: () => number
}

/** Starts a server that records the bytes on the wire, without a parser that could normalize them. It ends with the test. */
export async function startRawServer (t: Test, answer: object = { itemList: [{ itemId: 'a' }] }): Promise<RawServer> {
  const sockets = new Set<Socket>()
  let most = 0
  const body = JSON.stringify(answer)
  const reply = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`

  const server = createServer(socket => {
    let text = ''
    sockets.add(socket)
    most = Math.max(most, sockets.size)
    socket.on('close', () => sockets.delete(socket)).on('error', () => {})
    socket.on('data', chunk => {
      text += chunk.toString('latin1')
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        raw.heads.push(text.slice(0, end))
        const length = Number(/\r\ncontent-length: (\d+)/i.exec(text.slice(0, end))?.[1] ?? 0)
        text = text.slice(end + 4 + length)
        if (!raw.silent) socket.write(reply)
      }
    })
  })
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 })
  await once(server, 'listening')
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const raw: RawServer = { url: `http://${host}`, host, heads: [], silent: false, mostConnections: () => most }
  return raw
}
