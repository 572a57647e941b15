import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/** The format of ids that are accepted from callers, as they go into logs and into a response header. */
const acceptable = /^[\w.:=;@/+-]{1,128}$/

/** Returns the id of a request: the caller's, the load balancer's, or a new one. */
export function requestId (headers: IncomingHttpHeaders): string {
  return accepted(headers['x-request-id']) ?? accepted(headers['x-amzn-trace-id']) ?? randomUUID()
}

function accepted (id: string | string[] | undefined): string | undefined {
  return typeof id === 'string' && acceptable.test(id) ? id : undefined
}
