import type { IncomingHttpHeaders } from 'node:http'
import type { Test } from 'tap'

const signature = /^AWS4-HMAC-SHA256 Credential=AKIDLOCAL\/\d{8}\/us-east-1\/[a-z-]+\/aws4_request, SignedHeaders=[a-z0-9;-]+, Signature=[0-9a-f]{64}$/

/** Headers of every call of an SDK client, besides those of its operation, with their expected format. */
const sdkHeaders: Readonly<Record<string, RegExp>> = {
  authorization: signature,
  host: /^127\.0\.0\.1:\d+$/,
  connection: /^keep-alive$/,
  'amz-sdk-invocation-id': /^[0-9a-f-]{36}$/,
  'amz-sdk-request': /^attempt=1; max=1$/,
  'user-agent': /^aws-sdk-js\//,
  'x-amz-user-agent': /^aws-sdk-js\//,
  'x-amz-content-sha256': /^[0-9a-f]{64}$/,
  'x-amz-date': /^\d{8}T\d{6}Z$/,
  'content-length': /^\d+$/
}

/** Asserts that a request is signed, is the only attempt, and has these headers and no others. */
export function hasSdkHeaders (t: Test, headers: IncomingHttpHeaders, own: Readonly<Record<string, string>>): void {
  t.match(headers, sdkHeaders)
  for (const [name, value] of Object.entries(own)) t.equal(headers[name], value, name)
  t.strictSame(Object.keys(headers).sort(), [...Object.keys(sdkHeaders), ...Object.keys(own)].sort(), 'no other headers')
}
