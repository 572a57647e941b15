import type { ServerResponse } from 'node:http'

/** Calls a function when a response has been sent, or when it cannot be sent any more since the client has gone. */
export function onceAnswered (response: ServerResponse, call: () => void): void {
  if (response.writableFinished || response.closed) return call()
  // A response that a test injects does not close.
  response.once('finish', call).once('close', call)
}
