import { NodeHttpHandler } from '@smithy/node-http-handler'
import { createRepeatingHandler, type AwsHandler } from './repeating-handler.ts'
import type { Scope } from './scope.ts'

/** What every SDK client has. */
export interface AwsClient {
  destroy: () => void
}

export interface AwsClientConfig {
  /** Where absent, what AWS's own environment variables say. */
  region?: string
  maxAttempts?: number
  requestHandler?: AwsHandler
  /** Of S3: the bucket is in the path and not in the name of the host. */
  forcePathStyle?: boolean
}

/** More sockets than the default bulkhead of an origin, so that a socket is never what a call waits for. */
const connections = { maxSockets: 1024, connectionTimeout: 3000 }

/**
 * The client of a service in a region, shared by all who need it. It tries once: retrying is the gateway's business.
 * @param region where absent, what AWS's own environment variables say
 */
export async function awsClient<C extends AwsClient> (scope: Scope, Client: new (config: AwsClientConfig) => C, region?: string): Promise<C> {
  return scope.share(`${Client.name} ${region ?? ''}`, async () => openAwsClient(Client, region === undefined ? {} : { region }), client => client.destroy())
}

/**
 * The client of a service that is only read from, shared as that of `awsClient`. If a kept connection ends before the answer begins,
 * the client repeats the call once on a new connection.
 */
export async function awsReader<C extends AwsClient> (scope: Scope, Client: new (config: AwsClientConfig) => C, region?: string): Promise<C> {
  const open = async (): Promise<C> => openAwsClient(Client, { ...(region === undefined ? {} : { region }), requestHandler: createRepeatingHandler(connections) })
  return scope.share(`${Client.name} ${region ?? ''} for reading`, open, client => client.destroy())
}

/** A client of one's own, to be destroyed after use. */
export function openAwsClient<C extends AwsClient> (Client: new (config: AwsClientConfig) => C, config: AwsClientConfig = {}): C {
  return new Client({ maxAttempts: 1, ...config, requestHandler: config.requestHandler ?? keptHandler() })
}

function keptHandler (): NodeHttpHandler {
  const { maxSockets, connectionTimeout } = connections
  const agent = { keepAlive: true, maxSockets }
  return new NodeHttpHandler({ httpAgent: agent, httpsAgent: agent, connectionTimeout })
}

/** The parts of an ARN that say where the resource is. */
export function parseArn (arn: string): { partition: string, region: string, account: string } {
  const [, partition = '', , region = '', account = ''] = arn.split(':')
  return { partition, region, account }
}
