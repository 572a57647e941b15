import { createWriteStream } from 'node:fs'
import { dirname } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { _Object as Listed } from '@aws-sdk/client-s3'
import { openAwsClient } from '../../connections/aws.ts'
import { within } from '../../base/deadline.ts'
import { assertRoom } from '../../connections/lmdb.ts'
import { isRecordsFile } from '../../records/read-records.ts'

/** A catalog in the bucket. */
export interface StagedObject {
  readonly key: string
  /** Its ETag, without quotes. */
  readonly tag: string
  /** In bytes. */
  readonly size: number
  /** Time of its upload, in epoch ms. */
  readonly madeAt: number
}

/** The bucket from which the gateway fetches catalogs. */
export interface StagingBucket {
  /**
   * Returns the newest catalog directly under a prefix, among the objects whose extension is a known format.
   * @throws errors of S3 or the network; Error if there are more objects than the listing limit
   */
  newest: (prefix: string, signal: AbortSignal) => Promise<StagedObject | undefined>
  /**
   * Downloads an object into a file. The caller removes the file, also after a failure.
   * @param path of the file, without the extension
   * @returns the file's path, with the extension of its format
   * @throws errors of S3 or the network; DiskFullError; Error if the object was replaced since the listing
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
    async newest (prefix, signal) {
      let newest: StagedObject | undefined
      let token: string | undefined
      for (let page = 0; page < mostPages; page++) {
        const { Contents = [], NextContinuationToken, IsTruncated } = await within(answerWithin, async options => client.send(new ListObjectsV2Command({
          Bucket: bucket, Prefix: prefix, Delimiter: '/', MaxKeys: pageSize, ContinuationToken: token
        }), options), signal)
        for (const object of Contents.map(toStagedObject)) {
          if (isRecordsFile(nameOf(object.key).plain) && (newest === undefined || isNewer(object, newest))) newest = object
        }
        if (IsTruncated !== true) return newest
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
      const { plain, compressed } = nameOf(object.key)
      const extension = plain.slice(plain.lastIndexOf('.')) + (compressed || ContentEncoding === 'gzip' ? '.gz' : '')
      await save(body, path + extension, object, stallAfter, signal)
      return path + extension
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

/** Compares by upload time. S3 tells seconds only: of two uploads in the same second, the last by name is newer. */
function isNewer (a: StagedObject, b: StagedObject): boolean {
  return a.madeAt === b.madeAt ? a.key > b.key : a.madeAt > b.madeAt
}

/** Returns the name of an object without the extension of gzip, and whether it had one. */
function nameOf (key: string): { plain: string, compressed: boolean } {
  const plain = key.replace(/\.gz(ip)?$/, '')
  return { plain, compressed: plain !== key }
}

function unquoted (etag: string): string {
  return etag.replace(/^(W\/)?"|"$/g, '')
}
