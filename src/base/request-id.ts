import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/** What a caller's id may look like: it goes into logs and back into a header. */
const acceptable = /^[\w.:=;@/+-]{1,128}$/

/** The id of a request: the caller's, the load balancer's, or a new one. */
export function requestId (headers: IncomingHttpHeaders): string {
  return accepted(headers['x-request-id']) ?? accepted(headers['x-amzn-trace-id']) ?? randomUUID()
}

function accepted (id: string | string[] | undefined): string | undefined {
  return typeof id === 'string' && acceptable.test(id) ? id : undefined
}
