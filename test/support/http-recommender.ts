import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { Test } from 'tap'
import type { Failure } from '../../docker/aws-local/failures.ts'
import { eventually } from './eventually.ts'
import { listen } from './listen.ts'

export interface ReceivedRequest {
  method: string
  /** Path and query. */
  path: string
  headers: IncomingHttpHeaders
  /** The parsed JSON, or the text of any other body. */
  body: unknown
}

/** An answer. A body that is an object is sent as JSON, a text as it is. */
export interface HttpAnswer {
  status?: number
  headers?: Record<string, string>
  body: unknown
}

type Misbehaviour = Exclude<Failure, 'model-error' | 'function-error'> | 'stall'

export interface HttpRecommender {
  url: string
  received: ReceivedRequest[]
  /** Sets the answer of later requests. */
  answer: (make: (request: ReceivedRequest) => HttpAnswer) => void
  /** Makes the recommender fail, or behave normally again. `stall` sends half a body and no more. */
  misbehave: (failure?: Misbehaviour) => void
  /** Answers the hanging requests. */
  release: () => void
  /** Resolves once the recommender has received so many requests. */
  reached: (count: number) => Promise<void>
  /** Returns the largest number of simultaneous connections. */
  mostConnections: () => number
}

/** Starts a recommender over HTTP on a free port. The test controls its answers and failures. It ends with the test. */
export async function startHttpRecommender (t: Test): Promise<HttpRecommender> {
  const received: ReceivedRequest[] = []
  let make: (request: ReceivedRequest) => HttpAnswer = () => ({ body: { itemList: [{ itemId: 'a' }] } })
  let failure: Misbehaviour | undefined
  let hanging: Array<() => void> = []
  let connections = 0
  let mostConnections = 0

  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const entry = { method: request.method!, path: request.url!, headers: request.headers, body: parsed(Buffer.concat(chunks).toString()) }
      received.push(entry)
      if (failure === undefined) send(response, make(entry))
      else if (failure === 'hang') hanging.push(() => send(response, make(entry)))
      else fail(response, failure, make(entry))
    })
  })
  server.on('connection', socket => {
    mostConnections = Math.max(mostConnections, ++connections)
    socket.once('close', () => { connections-- })
  })
  const url = await listen(t, server)
  return {
    url,
    received,
    answer: other => { make = other },
    misbehave: other => { failure = other },
    release () {
      for (const answer of hanging) answer()
      hanging = []
    },
    reached: async count => eventually(`${count} requests are received`, () => received.length >= count),
    mostConnections: () => mostConnections
  }
}

function send (response: ServerResponse, { status = 200, headers = { 'content-type': 'application/json' }, body }: HttpAnswer): void {
  response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body))
}

function fail (response: ServerResponse, failure: Exclude<Misbehaviour, 'hang'>, answer: HttpAnswer): void {
  const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body)
  const html = { 'content-type': 'text/html' }
  switch (failure) {
    case 'reset': response.socket?.resetAndDestroy(); return
    case 'html-502': send(response, { status: 502, headers: html, body: '<html><body><h1>502 Bad Gateway</h1></body></html>' }); return
    case 'empty-503': send(response, { status: 503, headers: {}, body: '' }); return
    case 'truncated-json': send(response, { ...answer, body: text.slice(0, text.length / 2) }); return
    case 'wrong-shape': send(response, { ...answer, body: { itemList: 'unexpected', personalizedRanking: 'unexpected', ratings: 'unexpected' } }); return
    case 'stall':
      response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', 'content-length': text.length })
      response.write(text.slice(0, text.length / 2))
      return
    default: send(response, { status: Number(failure), body: { message: `the recommender says ${failure}` } })
  }
}

function parsed (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
