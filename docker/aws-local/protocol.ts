import { json, type Reply } from './call.ts'
import type { ErrorShape, FaultTable } from './refusal.ts'

/** The common format of a service's answers. */
export interface Protocol {
  contentType: string
  error: (shape: ErrorShape, message: string) => Reply
}

/** Returns the REST protocol: the error's name in a header, its message in a member that some services spell with a capital. */
export function restJson (messageMember: 'message' | 'Message' = 'message'): Protocol {
  return {
    contentType: 'application/json',
    error: ({ code, status, more, headers }, message) =>
      json({ [messageMember]: message, ...more }, status, { 'x-amzn-errortype': code, ...headers })
  }
}

/** Returns the JSON 1.1 protocol: the error's name in the body. */
export function jsonRpc (namespace: string): Protocol {
  return {
    contentType: 'application/x-amz-json-1.1',
    error: ({ code, status, more, headers }, message) =>
      json({ __type: `com.amazonaws.${namespace}#${code}`, message, ...more }, status, headers)
  }
}

/** The errors of most services with the REST protocol. */
export const restFaults: FaultTable = {
  400: { code: 'ValidationException', status: 400 },
  403: { code: 'AccessDeniedException', status: 403 },
  404: { code: 'ResourceNotFoundException', status: 404 },
  429: { code: 'ThrottlingException', status: 429 },
  500: { code: 'InternalServerException', status: 500 },
  503: { code: 'ServiceUnavailableException', status: 503 }
}

/** The errors of most services with the JSON protocol, in which every client error has status 400. */
export const rpcFaults: FaultTable = {
  ...restFaults,
  403: { ...restFaults[403], status: 400 },
  404: { ...restFaults[404], status: 400 },
  429: { ...restFaults[429], status: 400 }
}
