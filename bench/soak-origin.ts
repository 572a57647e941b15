/** A recommender that says when it was asked: each list begins with its number among the user's lists and the time at which it was made. */
import { createServer } from 'node:http'
import { freePort } from './free-port.ts'

export interface Origin {
  port: number
  /** Without those for users that only fill the cache. */
  readonly calls: number
  close: () => void
}

/** What a list says of itself. */
export interface ListFacts {
  /** The user's first one is 1. */
  number: number
  /** On the clock of `performance.now()` of this process. */
  calledAt: number
}

/** @param latency of a call, in ms; those that only fill the cache are answered at once */
export async function startOrigin (users: number, latency: number): Promise<Origin> {
  const port = await freePort()
  const numbers = new Uint32Array(users)
  const rest = Array.from({ length: 24 }, (_, i) => `{"itemId":"item-${1000 + i * 37}","score":${0.96 - i * 0.04}}`).join(',')
  let calls = 0
  const server = createServer((request, response) => {
    const calledAt = performance.now()
    const user = Number(/^\/user-\w+-(\d+)$/.exec(request.url!)?.[1] ?? -1)
    const number = user < 0 ? 0 : ++numbers[user]!
    const answer = (): void => {
      response.setHeader('content-type', 'application/json')
      response.end(`{"itemList":[{"itemId":"list-${number}-${calledAt}","score":1},${rest}]}`)
    }
    if (user < 0) return answer()
    calls++
    setTimeout(answer, latency)
  }).listen(port, '127.0.0.1')
  return {
    port,
    get calls () { return calls },
    close () {
      server.close()
      server.closeAllConnections()
    }
  }
}

export function readList (list: string): ListFacts {
  const found = /"list-(\d+)-([\d.]+)"/.exec(list)
  if (found === null) throw new Error(`not a list of the origin: ${list.slice(0, 200)}`)
  return { number: Number(found[1]), calledAt: Number(found[2]) }
}
