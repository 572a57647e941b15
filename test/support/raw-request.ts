import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'

export interface RawAnswer {
  status: number
  /** By names in lower case. */
  headers: Record<string, string>
  body: string
}

/** Returns a function that sends a request byte by byte (as latin1) to a gateway that it makes listen, and reads the answer to its end. */
export async function rawRequests (t: Test, app: FastifyInstance): Promise<(request: string) => Promise<RawAnswer>> {
  if (!app.server.listening) await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  return async request => {
    const socket = connect(port, '127.0.0.1')
    t.teardown(() => socket.destroy())
    socket.end(Buffer.from(request, 'latin1'))
    let answer = ''
    socket.on('data', (chunk: Buffer) => { answer += chunk.toString() })
    await once(socket, 'close')
    const [head = '', body = ''] = answer.split('\r\n\r\n')
    const [start = '', ...lines] = head.split('\r\n')
    return { status: Number(start.split(' ')[1]), headers: Object.fromEntries(lines.map(line => [line.split(':')[0]!.toLowerCase(), line.slice(line.indexOf(':') + 1).trim()])), body }
  }
}
