import { NodeHttpHandler } from '@smithy/node-http-handler'
import type { Provider } from '../errors.ts'
import type { Scope } from '../scope.ts'
import { failureOfStatus, OriginError, type OriginFailure } from './origin-error.ts'

/** What every SDK client has. */
export interface AwsClient {
  destroy: () => void
}

interface AwsClientConfig {
  region?: string
  maxAttempts: number
  requestHandler: NodeHttpHandler
}

/** More than the default bulkhead of an origin, so that a socket is never what a call waits for. */
const sockets = 1024

/**
 * The client of a service in a region, shared by all who need it. It tries once: retrying is the gateway's business.
 * @param region where absent, what AWS's own environment variables say
 */
export async function awsClient<C extends AwsClient> (scope: Scope, Client: new (config: AwsClientConfig) => C, region?: string): Promise<C> {
  return scope.share(`${Client.name} ${region ?? ''}`, async () => openAwsClient(Client, region), client => client.destroy())
}

/** A client of one's own, to be destroyed after use. */
export function openAwsClient<C extends AwsClient> (Client: new (config: AwsClientConfig) => C, region?: string): C {
  const agent = { keepAlive: true, maxSockets: sockets }
  const requestHandler = new NodeHttpHandler({ httpAgent: agent, httpsAgent: agent, connectionTimeout: 3000 })
  return new Client({ ...(region === undefined ? {} : { region }), maxAttempts: 1, requestHandler })
}

/** The parts of an ARN that say where the resource is. */
export function parseArn (arn: string): { partition: string, region: string, account: string } {
  const [, partition = '', , region = '', account = ''] = arn.split(':')
  return { partition, region, account }
}

interface SdkError extends Error {
  $metadata?: { httpStatusCode?: number }
}

/** Errors that tell more by their name than by their status. */
const failureOfName: Readonly<Record<string, OriginFailure>> = {
  ThrottlingException: 'throttled',
  TooManyRequestsException: 'throttled',
  ModelNotReadyException: 'throttled',
  InternalDependencyException: 'unavailable',
  ValidationException: 'bad-request',
  CredentialsProviderError: 'refused',
  // A 200 whose body is not what the protocol says.
  SyntaxError: 'invalid-answer'
}

/**
 * Classifies what an SDK client threw: by whether we gave up waiting, then by the HTTP status, then by name. A client that never
 * got an answer has no status.
 */
export function awsFailure (error: unknown, signal: AbortSignal): OriginFailure {
  if (signal.aborted) return 'timeout'
  const { name, $metadata } = error as SdkError
  const status = $metadata?.httpStatusCode
  if (status !== undefined && status >= 500) return failureOfStatus(status)
  const byName = failureOfName[name]
  if (byName !== undefined) return byName
  return status === undefined ? 'unavailable' : failureOfStatus(status)
}

/** Runs a call of an SDK client; what it throws comes out classified. */
export async function callAws<T> (provider: Provider, signal: AbortSignal, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (cause) {
    throw new OriginError(provider, awsFailure(cause, signal), { cause })
  }
}
