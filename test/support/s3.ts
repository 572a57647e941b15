import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import type { Test } from 'tap'
import { eventually } from './eventually.ts'
import { testBucket } from './test-bucket.ts'
import { withEnvironment } from './environment.ts'

/** The package has no types. */
const S3rver = createRequire(import.meta.url)('s3rver') as new (options: object) => {
  configureBuckets: () => Promise<unknown>
  callback: () => RequestListener
  logger: { close: () => void, exceptions: { unhandle: () => void } }
}

/** Answers a request in S3's place and returns true, or returns false to let S3 answer. */
export type Interference = (request: IncomingMessage, response: ServerResponse) => boolean

export interface TestS3 {
  url: string
  /** Uploads an object. @param more members of the command, such as ContentEncoding */
  put: (key: string, body: string | Buffer, more?: object) => Promise<void>
  remove: (key: string) => Promise<void>
  /** Number of listings of the bucket. */
  readonly listings: number
  /** The keys of all downloads, in order, with repetitions. */
  readonly downloads: readonly string[]
  /** Resolves after so many further listings of the bucket. */
  listedAgain: (times: number) => Promise<void>
  /** Sets the interference with later requests; without an argument, S3 answers all again. */
  interfere: (interference?: Interference) => void
}

/** Starts an S3 emulator with one bucket on a free port. SDK clients that are opened later use it, until the test ends. */
export async function startS3 (t: Test): Promise<TestS3> {
  const directory = t.testdir()
  const s3 = new S3rver({ directory, silent: true, vhostBuckets: false, allowMismatchedSignatures: true, configureBuckets: [{ name: testBucket }] })
  await s3.configureBuckets()
  const answer = s3.callback()
  const downloads: string[] = []
  let listings = 0
  let interference: Interference = () => false
  // S3 replaces an object atomically. The emulator replaces its content and then its tag, so no listing may run in between.
  let settled = Promise.resolve()
  const inTurn = (response: ServerResponse, handle: () => void): void => {
    settled = settled.then(async () => {
      const closed = once(response, 'close')
      handle()
      await closed
    })
  }
  const server = createServer((request, response) => {
    const [path = '', query = ''] = request.url!.split('?', 2)
    const isListing = query.includes('list-type=2')
    if (isListing) listings++
    else if (request.method === 'GET') downloads.push(decodeURIComponent(path).slice(`/${testBucket}/`.length))
    if (request.method === 'GET' && interference(request, response)) return
    if (isListing || request.method !== 'GET') inTurn(response, () => { answer(request, response) })
    else answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  pointS3At(t, url)
  const client = new S3Client({ forcePathStyle: true, requestChecksumCalculation: 'WHEN_REQUIRED' })
  t.teardown(async () => {
    client.destroy()
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
    s3.logger.exceptions.unhandle()
    s3.logger.close()
  })
  return {
    url,
    put: async (Key, Body, more = {}) => { await client.send(new PutObjectCommand({ Bucket: testBucket, Key, Body, ...more })) },
    remove: async Key => { await client.send(new DeleteObjectCommand({ Bucket: testBucket, Key })) },
    get listings () { return listings },
    downloads,
    async listedAgain (times) {
      const from = listings
      await eventually(`the bucket is listed ${times} times more`, () => listings >= from + times, 15_000)
    },
    interfere: (next = () => false) => { interference = next }
  }
}

/** Sets the environment variables that SDK clients read. The end of the test restores them. s3rver accepts only this key. */
function pointS3At (t: Test, url: string): void {
  withEnvironment(t, { AWS_ENDPOINT_URL_S3: url, AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER' })
}
