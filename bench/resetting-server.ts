import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** A provider whose kept connections end while its clients still count on them. */
export interface ResettingServer {
  url: string
  /** How many requests it has received. */
  requests: () => number
  /** How many of them came on a connection that was kept from another, and were answered by its reset. */
  resets: () => number
  /** Resets all open connections now; what is under way on them gets no answer. */
  reset: () => void
  /** Resets the kept connections among those of the next requests, once as many as belong together have come. */
  resetNext: () => void
  close: () => Promise<void>
}

/**
 * Starts a provider on a free port. It answers when so many requests wait together, so that each of them has a connection of its own.
 * Its answer is one that an HTTP recommender, a SageMaker endpoint and a Lambda function may give.
 */
export async function startResettingServer (together: number): Promise<ResettingServer> {
  const body = JSON.stringify({ itemList: [{ itemId: 'a' }] })
  const sockets = new Set<Socket>()
  const kept = new WeakSet<Socket>()
  let waiting: ServerResponse[] = []
  let requests = 0
  let resets = 0
  let armed = false

  function answer (response: ServerResponse, socket: Socket): void {
    if (armed && kept.has(socket)) {
      resets++
      socket.resetAndDestroy()
    } else {
      kept.add(socket)
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body)
    }
  }

  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    requests++
    waiting.push(response)
    response.once('close', () => { waiting = waiting.filter(other => other !== response) })
    request.resume().once('end', () => {
      if (waiting.length < together) return
      for (const each of waiting.splice(0)) if (each.socket !== null) answer(each, each.socket)
      armed = false
    })
  })
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 })
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: () => requests,
    resets: () => resets,
    reset: () => { for (const socket of sockets) socket.resetAndDestroy() },
    resetNext: () => { armed = true },
    async close () {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
  }
}
