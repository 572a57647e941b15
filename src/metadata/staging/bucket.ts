import { createWriteStream } from 'node:fs'
import { dirname } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { _Object as Listed } from '@aws-sdk/client-s3'
import { openAwsClient } from '../../connections/aws.ts'
import { within } from '../../base/deadline.ts'
import { assertRoom } from '../../connections/lmdb.ts'
import { UserError } from '../../base/user-error.ts'
import { extensionOf, withoutGzip } from '../../records/formats.ts'
import { chooseCatalog, type PassedOver, type StagedObject } from './choose.ts'

export type { StagedObject } from './choose.ts'

/** The bucket from which the gateway fetches catalogs. */
export interface StagingBucket {
  /**
   * Returns the newest catalog under a prefix: an object, or the parts of one run or folder.
   * @param onPassedOver receives the other objects under the prefix
   * @throws errors of S3 or the network; Error if there are more objects than the listing limit
   */
  newest: (prefix: string, signal: AbortSignal, onPassedOver?: (objects: readonly PassedOver[]) => void) => Promise<StagedObject | undefined>
  /**
   * Downloads a single object into a file. The caller removes the file, also after a failure.
   * @param path of the file, without the extension
   * @returns the file's path, with the extension of its format
   * @throws errors of S3 or the network; DiskFullError; UserError if it is encoded other than with gzip; Error if the object was replaced since the listing
   */
  download: (object: StagedObject, path: string, signal: AbortSignal) => Promise<string>
  close: () => void
}

export interface BucketPlace {
  name: string
  /** Puts the bucket's name into the path of URLs instead of the host: services other than Amazon's seldom have a host name per bucket. */
  pathStyle?: boolean
}

export interface BucketOptions {
  /** Timeout of a page of a listing, and of the start of a download, in ms. */
  answerWithin?: number
  /** Time without data after which a download fails, in ms. */
  stallAfter?: number
}

/** Objects per page of a listing, and pages at most. */
const pageSize = 1_000
const mostPages = 20

/** Bytes written between two checks of the free space on the disk. */
const roomEvery = 8 * 1024 * 1024

/** Opens a bucket of Amazon S3, or of a compatible service at `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL`. */
export async function openBucket ({ name: bucket, pathStyle = false }: BucketPlace, { answerWithin = 15_000, stallAfter = 30_000 }: BucketOptions = {}): Promise<StagingBucket> {
  const { GetObjectCommand, ListObjectsV2Command, S3Client } = await import('@aws-sdk/client-s3')
  const client = await openAwsClient(S3Client, { forcePathStyle: pathStyle })
  return {
    async newest (prefix, signal, onPassedOver = () => {}) {
      const objects: StagedObject[] = []
      let token: string | undefined
      for (let page = 0; page < mostPages; page++) {
        const { Contents = [], NextContinuationToken, IsTruncated } = await within(answerWithin, async options => client.send(new ListObjectsV2Command({
          Bucket: bucket, Prefix: prefix, MaxKeys: pageSize, ContinuationToken: token
        }), options), signal)
        objects.push(...Contents.map(toStagedObject))
        if (IsTruncated !== true) {
          const { newest, passedOver } = chooseCatalog(objects, prefix)
          onPassedOver(passedOver)
          return newest
        }
        token = NextContinuationToken
      }
      throw new Error(`there are more than ${mostPages * pageSize} objects under ${prefix}: remove older ones, so that the newest can be found`)
    },
    async download (object, path, signal) {
      assertRoom(dirname(path), object.size)
      // The client listens to its signal also while the body arrives. `within` clears its timer before, so that a long download is not cut.
      const { Body, ETag, ContentEncoding } = await within(answerWithin, async options => client.send(new GetObjectCommand({
        Bucket: bucket, Key: object.key, IfMatch: `"${object.tag}"`
      }), options), signal)
      const body = Body as Readable
      if (ETag !== undefined && unquoted(ETag) !== object.tag) {
        body.destroy()
        throw new Error(`${object.key} was replaced since it was listed`)
      }
      const other = otherEncodings(ContentEncoding)
      if (other !== '') {
        body.destroy()
        throw new UserError(`${object.key} has the Content-Encoding ${other}; expected gzip or none`)
      }
      const extension = extensionOf(object.key)
      const file = `${path}${extension === '' ? '' : `.${extension}`}${withoutGzip(object.key).compressed ? '.gz' : ''}`
      await save(body, file, object, stallAfter, signal)
      return file
    },
    close () { client.destroy() }
  }
}

async function save (body: Readable, file: string, { key, size }: StagedObject, stallAfter: number, signal: AbortSignal): Promise<void> {
  const stall = new AbortController()
  const timer = setTimeout(() => { stall.abort(new Error(`nothing more came of ${key} for ${stallAfter} ms`)) }, stallAfter)
  async function * counted (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let read = 0
    let looked = 0
    for await (const chunk of chunks) {
      timer.refresh()
      read += chunk.length
      if (read - looked >= roomEvery) {
        assertRoom(dirname(file))
        looked = read
      }
      if (read > size) break
      yield chunk
    }
    if (read !== size) throw new Error(`${key} has another length than in the listing`)
  }
  try {
    await pipeline(body, counted, createWriteStream(file), { signal: AbortSignal.any([signal, stall.signal]) })
  } catch (error) {
    throw stall.signal.aborted ? stall.signal.reason : error
  } finally {
    clearTimeout(timer)
  }
}

function toStagedObject ({ Key = '', ETag = '', Size = 0, LastModified }: Listed): StagedObject {
  return { key: Key, tag: unquoted(ETag), size: Size, madeAt: LastModified?.getTime() ?? 0 }
}

/**
 * Returns the encodings of an object that the gateway cannot undo. It recognises gzip by the content. `aws-chunked` is a remainder of the
 * upload, which S3 has undone.
 */
function otherEncodings (encodings = ''): string {
  return encodings.toLowerCase().split(',').map(token => token.trim()).filter(token => !['', 'gzip', 'x-gzip', 'identity', 'aws-chunked'].includes(token)).join(', ')
}

function unquoted (etag: string): string {
  return etag.replace(/^(W\/)?"|"$/g, '')
}
