import type { Test } from 'tap'
import { createAwsLocal, type AwsLocal, type AwsLocalOptions } from '../../../docker/aws-local/app.ts'

/** What every SDK client is made with. */
export interface ClientConfig {
  endpoint: string
  region: string
  credentials: { accessKeyId: string, secretAccessKey: string }
  maxAttempts: number
}

/** AWS on a free port, for the length of a test. */
export async function start (t: Test, options?: AwsLocalOptions): Promise<{ aws: AwsLocal, url: string, config: ClientConfig }> {
  const aws = await createAwsLocal(options)
  const url = await aws.listen()
  t.teardown(aws.close)
  return { aws, url, config: { endpoint: url, region: 'us-east-1', credentials: { accessKeyId: 'AKIDLOCAL', secretAccessKey: 'secret' }, maxAttempts: 1 } }
}

/** The least that passes for a signature, for calls without a client. */
export const authorization = `AWS4-HMAC-SHA256 Credential=AKIDLOCAL/20261101/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`

/** A call of the JSON 1.1 protocol without a client. */
export async function rpc (url: string, target: string, input: unknown): Promise<{ status: number, body: Record<string, unknown> }> {
  const headers = { authorization, 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.1' }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(input) })
  return { status: response.status, body: await response.json() as Record<string, unknown> }
}

export const arn = (path: string): string => `arn:aws:personalize:us-east-1:123456789012:${path}`
