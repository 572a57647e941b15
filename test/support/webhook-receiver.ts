import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import type { Test } from 'tap'
import type { EventRecord } from './event-records.ts'
import { listen } from './listen.ts'

export interface ReceivedCall {
  method: string
  /** Path and query. */
  path: string
  headers: IncomingHttpHeaders
  body: Buffer
  /** Absent while there is no answer. */
  status?: number
}

/** The answer to a call: a status, or a function of the test that writes the response. */
export type Answer = number | ((response: ServerResponse) => void)

export interface WebhookReceiver {
  url: string
  calls: ReceivedCall[]
  /** Returns the records of the calls that were answered with 200, in order. */
  records: () => EventRecord[]
  /** Sets the answer of later calls. A call without a valid signature is always answered with 401. */
  answer: (make: (call: ReceivedCall) => Answer) => void
}

/** The signing key that receiver and gateway share. */
export const webhookKey = Buffer.alloc(32, 'key')

/**
 * Starts a receiver of webhooks that verifies their signatures by https://www.standardwebhooks.com. It ends with the test.
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

/** Returns the records in a call. */
export function recordsOf ({ body }: ReceivedCall): EventRecord[] {
  return (JSON.parse(body.toString()) as { records: EventRecord[] }).records
}

/** Returns whether a call has a valid signature with a timestamp within five minutes of now. */
function isSigned ({ headers, body }: ReceivedCall, key: Buffer): boolean {
  const [id, timestamp, signature] = ['id', 'timestamp', 'signature'].map(name => String(headers[`webhook-${name}`]))
  if (!/^\d{10}$/.test(timestamp!) || Math.abs(Number(timestamp) - Date.now() / 1000) > 300) return false
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest()
  const [version, given = ''] = signature!.split(',')
  const bytes = Buffer.from(given, 'base64')
  return version === 'v1' && bytes.length === expected.length && timingSafeEqual(bytes, expected)
}
