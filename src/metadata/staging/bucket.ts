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
  /** When it was uploaded, in epoch ms. */
  readonly madeAt: number
}

/** Where catalogs are put for the gateway to fetch. */
export interface StagingBucket {
  /**
   * The newest catalog right under a prefix: of the objects whose names tell a format.
   * @throws what S3 or the network said; Error where there are more objects than are looked through
   */
  newest: (prefix: string, signal: AbortSignal) => Promise<StagedObject | undefined>
  /**
   * Writes an object into a file. Who calls removes it, also where this fails.
   * @param path of the file, without the extension
   * @returns its path, with an extension that tells the format
   * @throws what S3 or the network said; DiskFullError; Error where what comes is not the object that was listed
   */
  download: (object: StagedObject, path: string, signal: AbortSignal) => Promise<string>
  close: () => void
}

export interface BucketPlace {
  name: string
  /** The bucket is in the path of a URL and not in the name of the host: services other than Amazon's seldom have a host name for each bucket. */
  pathStyle?: boolean
}

export interface BucketOptions {
  /** For a page of a listing, or for an object to begin, in ms. */
  answerWithin?: number
  /** A download ends with an error when nothing has come for so long, in ms. */
  stallAfter?: number
}

/** Of a listing: pages of a thousand objects each, and the most of them. */
const pageSize = 1_000
const mostPages = 20

/** How often the room on the disk is looked at while writing, in bytes. */
const roomEvery = 8 * 1024 * 1024

/** Opens a bucket of Amazon S3, or of what speaks like it at `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL`. */
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
      throw new Error(`there are more than ${mostPages * pageSize} objects under ${prefix}: the newest cannot be told until older ones are removed`)
    },
    async download (object, path, signal) {
      assertRoom(dirname(path), object.size)
      // The client goes on listening to its signal while the body comes: one that is not called off would cut a long download.
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
    if (read !== size) throw new Error(`${key} came with another length than it was listed with`)
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

/** S3 tells seconds only: of two uploads in the same one, the last by name counts. */
function isNewer (a: StagedObject, b: StagedObject): boolean {
  return a.madeAt === b.madeAt ? a.key > b.key : a.madeAt > b.madeAt
}

/** The name of an object without what says that it is compressed, and whether that was there. */
function nameOf (key: string): { plain: string, compressed: boolean } {
  const plain = key.replace(/\.gz(ip)?$/, '')
  return { plain, compressed: plain !== key }
}

function unquoted (etag: string): string {
  return etag.replace(/^(W\/)?"|"$/g, '')
}
