/** A recommender that records when it was called: each list begins with its number among the user's lists and the time of the call. */
import { createServer } from 'node:http'
import { freePort } from './free-port.ts'

export interface Origin {
  port: number
  /** The number of calls, without those for users that only fill the cache. */
  readonly calls: number
  close: () => void
}

/** The number and the time in a list. */
export interface ListFacts {
  /** The number among the user's lists, from 1 on. */
  number: number
  /** The time of the call, on the clock of `performance.now()` of this process. */
  calledAt: number
}

/** Starts the recommender. @param latency of a call, in ms; calls that only fill the cache are answered at once */
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
