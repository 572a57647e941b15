import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Test } from 'tap'

export interface RedisProxy {
  url: string
  /** Ends all connections, and then each new connection at once. */
  cut: () => void
  /** Stops forwarding data on the existing connections permanently. New connections work. */
  freeze: () => void
  /** Keeps the existing connections and accepts new ones, but forwards no data. */
  stall: () => void
  /** Leads new connections to another server, as the address of a primary does after a failover. Existing connections stay. */
  lead: (port: number) => void
  /** Ends `cut` and `stall`. The proxy forwards the data that arrived during a stall. */
  mend: () => void
}

/** Starts a proxy between a gateway and Redis that simulates network failures. The proxy ends with the test. */
export async function startRedisProxy (t: Test, port: number): Promise<RedisProxy> {
  let target = port
  const sockets = new Set<Socket>()
  const frozen = new WeakSet<Socket>()
  let state: 'whole' | 'cut' | 'stalled' = 'whole'

  const server = createServer(client => {
    if (state === 'cut') {
      client.destroy()
      return
    }
    const upstream = connect(target, '127.0.0.1')
    for (const [one, other] of [[client, upstream], [upstream, client]] as const) {
      sockets.add(one)
      one.on('error', () => {})
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
      one.on('data', chunk => { other.write(chunk) })
      if (state === 'stalled') one.pause()
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const end = (): void => { for (const socket of sockets) socket.destroy() }
  t.teardown(async () => {
    end()
    server.close()
    await once(server, 'close')
  })
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut () {
      state = 'cut'
      end()
    },
    freeze () {
      for (const socket of sockets) {
        socket.pause()
        frozen.add(socket)
      }
    },
    stall () {
      state = 'stalled'
      for (const socket of sockets) socket.pause()
    },
    lead (port) { target = port },
    mend () {
      state = 'whole'
      for (const socket of sockets) if (!frozen.has(socket)) socket.resume()
    }
  }
}
