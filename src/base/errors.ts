import Type from 'typebox'

/** The failures of a provider, with the HTTP status that the gateway's caller gets. */
const failures = {
  /** The provider says that the caller's request is wrong. */
  BadRequest: 400,
  /** The provider refuses the gateway's credentials, or does not know a resource in the configuration. */
  Refused: 502,
  Throttled: 429,
  Unavailable: 503,
  Timeout: 504,
  InvalidAnswer: 502
} as const

type Failure = keyof typeof failures
export type Provider = 'Personalize' | 'SageMaker' | 'Function' | 'Http'

type ProviderErrors<P extends Provider> = { [F in Failure as `${P}${F}`]: { type: P, status: number } }

function providerErrors<P extends Provider> (type: P): ProviderErrors<P> {
  return Object.fromEntries(Object.entries(failures).map(([failure, status]) => [`${type}${failure}`, { type, status }])) as ProviderErrors<P>
}

/** All error codes of answers, each with the part of the system that it concerns and its HTTP status. */
export const errorTable = {
  InvalidParameter: { type: 'Validation', status: 400 },
  InvalidContextParameter: { type: 'Validation', status: 400 },
  InvalidFilterParameter: { type: 'Validation', status: 400 },
  UnknownExperiment: { type: 'Validation', status: 400 },
  InvalidBody: { type: 'Validation', status: 400 },
  InvalidUrl: { type: 'Validation', status: 400 },
  InvalidRequest: { type: 'Validation', status: 400 },
  RouteNotFound: { type: 'Validation', status: 404 },
  MethodNotAllowed: { type: 'Validation', status: 405 },
  RequestTimeout: { type: 'Validation', status: 408 },
  PreconditionFailed: { type: 'Validation', status: 412 },
  BodyTooLarge: { type: 'Validation', status: 413 },
  UrlTooLong: { type: 'Validation', status: 414 },
  UnsupportedContentType: { type: 'Validation', status: 415 },
  UnsupportedContentEncoding: { type: 'Validation', status: 415 },
  RangeNotSatisfiable: { type: 'Validation', status: 416 },
  HeadersTooLarge: { type: 'Validation', status: 431 },
  Unauthorized: { type: 'Auth', status: 401 },
  Forbidden: { type: 'Auth', status: 403 },
  NamespaceNotFound: { type: 'Configuration', status: 404 },
  RecommenderNotConfigured: { type: 'Configuration', status: 404 },
  ExperimentNotFound: { type: 'Configuration', status: 404 },
  NoEventTargets: { type: 'Configuration', status: 409 },
  NoDatasets: { type: 'Configuration', status: 409 },
  MappingFailed: { type: 'Configuration', status: 502 },
  ...providerErrors('Personalize'),
  ...providerErrors('SageMaker'),
  ...providerErrors('Function'),
  ...providerErrors('Http'),
  ShuttingDown: { type: 'Overload', status: 503 },
  Starting: { type: 'Overload', status: 503 },
  Overloaded: { type: 'Overload', status: 503 },
  CircuitOpen: { type: 'Overload', status: 503 },
  TooManyCalls: { type: 'Overload', status: 503 },
  TooManyBodies: { type: 'Overload', status: 503 },
  TooManyAnswers: { type: 'Overload', status: 503 },
  RateLimited: { type: 'Overload', status: 429 },
  EventQueueFull: { type: 'Overload', status: 429 },
  DatasetQueueFull: { type: 'Overload', status: 429 },
  ExperimentCountsUnavailable: { type: 'Internal', status: 503 },
  EventsNotDelivered: { type: 'Internal', status: 503 },
  EventsRefused: { type: 'Internal', status: 502 },
  DatasetsNotWritten: { type: 'Internal', status: 503 },
  DatasetsRefused: { type: 'Internal', status: 502 },
  InternalError: { type: 'Internal', status: 500 }
} as const

export type ErrorCode = keyof typeof errorTable
export type ErrorType = typeof errorTable[ErrorCode]['type']

export interface GatewayErrorOptions {
  cause?: unknown
  /** Seconds after which a retry makes sense. */
  retryAfter?: number
  /** Additional members of the error's body, for the caller. */
  details?: Record<string, unknown>
}

/** The error that becomes an answer. Its message is for the caller; `cause` holds the internal error. */
export class GatewayError extends Error {
  readonly code: ErrorCode
  readonly retryAfter: number | undefined
  readonly details: Record<string, unknown> | undefined

  constructor (code: ErrorCode, message: string, { cause, retryAfter, details }: GatewayErrorOptions = {}) {
    super(message, { cause })
    this.name = 'GatewayError'
    this.code = code
    this.retryAfter = retryAfter
    this.details = details
  }

  get status (): number {
    return errorTable[this.code].status
  }

  get type (): ErrorType {
    return errorTable[this.code].type
  }
}

const codes = Object.keys(errorTable)
const types = [...new Set(Object.values(errorTable).map(({ type }) => type))]

/** The body of all error answers. */
export const ErrorSchema = Type.Object({
  type: Type.Enum(types, { description: 'The part of the system that the error speaks of.' }),
  code: Type.Enum(codes),
  message: Type.String({ description: 'What was wrong, naming the parameter where there is one.' }),
  requestId: Type.String(),
  targets: Type.Optional(Type.Record(Type.String(), Type.String(), { description: 'With `EventsNotDelivered`, `EventsRefused`, `DatasetsNotWritten` and `DatasetsRefused`: what became of it at each target.' })),
  missing: Type.Optional(Type.Record(Type.String(), Type.Array(Type.String()), { description: 'With the same: the ids of what a target does not have.' })),
  eventIds: Type.Optional(Type.Array(Type.String(), { description: 'With `EventsNotDelivered` and `EventsRefused`: the ids to send the events again with.' }))
}, { $id: 'Error', description: 'An error.' })

/** Returns a failure in a word, for probes and metrics: the code of a system error (`ECONNREFUSED`), or the word that a server's message begins with (`NOAUTH`). */
export function failureWord (error: unknown): string {
  const { code, message = '' } = error as { code?: unknown, message?: string }
  return typeof code === 'string' ? code : /^[A-Z]{4,}\b/.exec(message)?.[0] ?? 'no answer'
}
