import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import type { Test } from 'tap'
import type { EventRecord } from './event-records.ts'
import { listen } from './listen.ts'

export interface ReceivedCall {
  method: string
  /** With its query. */
  path: string
  headers: IncomingHttpHeaders
  body: Buffer
  /** Undefined: none yet. */
  status?: number
}

/** How a call is answered: with a status, or by what the test does with the response. */
export type Answer = number | ((response: ServerResponse) => void)

export interface WebhookReceiver {
  url: string
  calls: ReceivedCall[]
  /** The records of the calls that were answered with 200, in their order. */
  records: () => EventRecord[]
  /** What it answers from now on; a call that is not signed as it should be is answered with 401 before. */
  answer: (make: (call: ReceivedCall) => Answer) => void
}

/** The key of receiver and gateway. */
export const webhookKey = Buffer.alloc(32, 'key')

/**
 * Receives webhooks and looks at their signatures, as https://www.standardwebhooks.com has it. It ends with the test.
 * @param key null: calls are not signed
 */
export async function startWebhookReceiver (t: Test, key: Buffer | null = webhookKey): Promise<WebhookReceiver> {
  const calls: ReceivedCall[] = []
  let make: (call: ReceivedCall) => Answer = () => 200

  async function serve (request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call: ReceivedCall = { method: request.method!, path: request.url!, headers: request.headers, body: await buffer(request) }
    calls.push(call)
    const answer = key === null || isSigned(call, key) ? make(call) : 401
    if (typeof answer === 'function') {
      answer(response)
    } else {
      call.status = answer
      response.writeHead(answer).end('thanks')
    }
  }

  const server = createServer((request, response) => { serve(request, response).catch(() => { response.destroy() }) })
  const url = await listen(t, server)
  return {
    url: `${url}/hook?from=shop`,
    calls,
    records: () => calls.filter(({ status }) => status === 200).flatMap(recordsOf),
    answer (other) { make = other }
  }
}

export function recordsOf ({ body }: ReceivedCall): EventRecord[] {
  return (JSON.parse(body.toString()) as { records: EventRecord[] }).records
}

/** Of now, give or take five minutes. */
function isSigned ({ headers, body }: ReceivedCall, key: Buffer): boolean {
  const [id, timestamp, signature] = ['id', 'timestamp', 'signature'].map(name => String(headers[`webhook-${name}`]))
  if (!/^\d{10}$/.test(timestamp!) || Math.abs(Number(timestamp) - Date.now() / 1000) > 300) return false
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest()
  const [version, given = ''] = signature!.split(',')
  const bytes = Buffer.from(given, 'base64')
  return version === 'v1' && bytes.length === expected.length && timingSafeEqual(bytes, expected)
}
