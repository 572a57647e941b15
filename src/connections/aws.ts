import type { NodeHttpHandler } from '@smithy/node-http-handler'
import type { Scope } from './scope.ts'

/** What every SDK client has. */
export interface AwsClient {
  destroy: () => void
}

export interface AwsClientConfig {
  /** Where absent, what AWS's own environment variables say. */
  region?: string
  maxAttempts?: number
  requestHandler?: NodeHttpHandler
  /** Of S3: the bucket is in the path and not in the name of the host. */
  forcePathStyle?: boolean
}

/** More than the default bulkhead of an origin, so that a socket is never what a call waits for. */
const sockets = 1024

/**
 * The client of a service in a region, shared by all who need it. It tries once: retrying is the gateway's business.
 * @param region where absent, what AWS's own environment variables say
 */
export async function awsClient<C extends AwsClient> (scope: Scope, Client: new (config: AwsClientConfig) => C, region?: string): Promise<C> {
  return scope.share(`${Client.name} ${region ?? ''}`, async () => openAwsClient(Client, region === undefined ? {} : { region }), client => client.destroy())
}

/** Opens a client of one's own, to be destroyed after use. */
export async function openAwsClient<C extends AwsClient> (Client: new (config: AwsClientConfig) => C, config: AwsClientConfig = {}): Promise<C> {
  const { NodeHttpHandler } = await import('@smithy/node-http-handler')
  const agent = { keepAlive: true, maxSockets: sockets }
  const requestHandler = new NodeHttpHandler({ httpAgent: agent, httpsAgent: agent, connectionTimeout: 3000 })
  return new Client({ maxAttempts: 1, requestHandler, ...config })
}

/** The parts of an ARN that say where the resource is. */
export function parseArn (arn: string): { partition: string, region: string, account: string } {
  const [, partition = '', , region = '', account = ''] = arn.split(':')
  return { partition, region, account }
}
