import type { NodeHttpHandler } from '@smithy/node-http-handler'
import type { Scope } from './scope.ts'

/** The common part of all SDK clients. */
export interface AwsClient {
  destroy: () => void
}

export interface AwsClientConfig {
  /** Default: from AWS's environment variables. */
  region?: string
  maxAttempts?: number
  requestHandler?: NodeHttpHandler
  /** For S3: puts the bucket into the path instead of the host name. */
  forcePathStyle?: boolean
}

/** More than the default bulkhead of an origin, so that no call waits for a socket. */
const sockets = 1024

/**
 * Returns the shared client of a service in a region. The client does not retry, as the gateway does.
 * @param region default: from AWS's environment variables
 */
export async function awsClient<C extends AwsClient> (scope: Scope, Client: new (config: AwsClientConfig) => C, region?: string): Promise<C> {
  return scope.share(`${Client.name} ${region ?? ''}`, async () => openAwsClient(Client, region === undefined ? {} : { region }), client => client.destroy())
}

/** Opens a separate client, which the caller destroys after use. */
export async function openAwsClient<C extends AwsClient> (Client: new (config: AwsClientConfig) => C, config: AwsClientConfig = {}): Promise<C> {
  const { NodeHttpHandler } = await import('@smithy/node-http-handler')
  const agent = { keepAlive: true, maxSockets: sockets }
  const requestHandler = new NodeHttpHandler({ httpAgent: agent, httpsAgent: agent, connectionTimeout: 3000 })
  return new Client({ maxAttempts: 1, requestHandler, ...config })
}

/** Returns the partition, region and account in an ARN. */
export function parseArn (arn: string): { partition: string, region: string, account: string } {
  const [, partition = '', , region = '', account = ''] = arn.split(':')
  return { partition, region, account }
}
