import type { NodeHttpHandler } from '@smithy/node-http-handler'
import type { AwsHandler } from './repeating-handler.ts'
import type { Scope } from './scope.ts'

/** The part of an SDK client that all of them have. */
export interface AwsClient {
  destroy: () => void
}

export interface AwsClientConfig {
  /** Default: from AWS's environment variables. */
  region?: string
  maxAttempts?: number
  /** The URL of the service. Default: Amazon's, or that of AWS's environment variables. */
  endpoint?: string
  /** Calls the host of the endpoint as it is, where an operation has a host of its own. */
  disableHostPrefix?: boolean
  requestHandler?: AwsHandler
  /** For S3: puts the bucket into the path instead of the host name. */
  forcePathStyle?: boolean
}

/** More sockets than the default bulkhead of an origin, so that no call waits for a socket. */
const connections = { maxSockets: 1024, connectionTimeout: 3000 }

/**
 * Returns the shared client of a service in a region. The client does not retry, as the gateway does.
 * @param region default: from AWS's environment variables
 */
export async function awsClient<C extends AwsClient> (scope: Scope, Client: new (config: AwsClientConfig) => C, region?: string): Promise<C> {
  return scope.share(`${Client.name} ${region ?? ''}`, async () => openAwsClient(Client, region === undefined ? {} : { region }), client => client.destroy())
}

/**
 * Returns a shared client of a service in a region, like `awsClient`, but for calls that only read. If a kept-alive connection ends
 * before the answer begins, the client repeats the call once on a new connection.
 */
export async function awsReader<C extends AwsClient> (scope: Scope, Client: new (config: AwsClientConfig) => C, region?: string): Promise<C> {
  const open = async (): Promise<C> => {
    const { createRepeatingHandler } = await import('./repeating-handler.ts')
    return openAwsClient(Client, { ...(region === undefined ? {} : { region }), requestHandler: createRepeatingHandler(connections) })
  }
  return scope.share(`${Client.name} ${region ?? ''} for reading`, open, client => client.destroy())
}

/** Opens a separate client, which the caller destroys after use. */
export async function openAwsClient<C extends AwsClient> (Client: new (config: AwsClientConfig) => C, config: AwsClientConfig = {}): Promise<C> {
  return new Client({ maxAttempts: 1, ...config, requestHandler: config.requestHandler ?? await keptHandler() })
}

async function keptHandler (): Promise<NodeHttpHandler> {
  const { NodeHttpHandler } = await import('@smithy/node-http-handler')
  const { maxSockets, connectionTimeout } = connections
  const agent = { keepAlive: true, maxSockets }
  return new NodeHttpHandler({ httpAgent: agent, httpsAgent: agent, connectionTimeout })
}

/** Returns the partition, region and account in an ARN. */
export function parseArn (arn: string): { partition: string, region: string, account: string } {
  const [, partition = '', , region = '', account = ''] = arn.split(':')
  return { partition, region, account }
}
