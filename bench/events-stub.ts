/**
 * The targets of bench/events.ts and bench/events-stress.ts: a server that takes the calls of Personalize, Kinesis, Firehose and webhooks, as
 * cheaply as possible. It parses every event that it confirms. Run by itself, `events-stub.js PORT`, it returns their counts at `/counts`.
 */
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { request } from 'undici'

export const targetNames = ['personalize-event-tracker', 'kinesis-stream', 'kinesis-firehose', 'http'] as const
export type TargetName = typeof targetNames[number]

/** A body that a target got: of a record, only the part that the caller sent. */
export interface TakenBody {
  userId?: string
  sessionId?: string
  eventList: Array<{ eventId: string, properties?: string }>
}

export interface StubOptions {
  /** Receives every body that was taken, in the order of arrival. */
  onTaken: (target: TargetName, body: TakenBody) => void
  /** Returns whether to throttle a record, or a whole call of Personalize or a webhook; absent: none is throttled. */
  throttled?: (target: TargetName, body: TakenBody) => boolean
  /** The Kinesis that gets the records that are not refused, and from which they are read; absent: this server takes them. */
  kinesisUrl?: string
}

export interface Stub {
  port: number
  close: () => Promise<void>
}

interface StreamRecord {
  Data: string
}

interface Answer {
  status?: number
  body?: unknown
}

const exceeded = { ErrorCode: 'ProvisionedThroughputExceededException', ErrorMessage: 'Rate exceeded' }

if (process.argv[1] === import.meta.filename) {
  const counts = Object.fromEntries(targetNames.map(name => [name, 0])) as Record<TargetName, number>
  await startStub({ onTaken (target, { eventList }) { counts[target] += eventList.length } }, Number(process.argv[2]), () => counts)
}

/** Starts the server. @param counts returns the answer of `/counts` */
export async function startStub ({ onTaken, throttled = () => false, kinesisUrl }: StubOptions, port = 0, counts: () => object = () => ({})): Promise<Stub> {
  let sequence = 0

  async function answer ({ url, headers }: IncomingMessage, text: string): Promise<Answer> {
    if (url === '/counts') return { body: counts() }
    if (url === '/events') return personalize(text)
    if (url === '/hook') return webhook(text)
    const operation = String(headers['x-amz-target'])
    if (operation === 'Kinesis_20131202.PutRecords') return kinesisUrl === undefined ? { body: kinesis(text) } : { body: await passOn(kinesisUrl, headers, text) }
    if (operation === 'Firehose_20150804.PutRecordBatch') return { body: firehose(text) }
    return { status: 404 }
  }

  function personalize (text: string): Answer {
    const body = JSON.parse(text) as TakenBody
    if (throttled('personalize-event-tracker', body)) return { status: 429, body: { __type: 'ThrottlingException', message: 'Rate exceeded' } }
    onTaken('personalize-event-tracker', body)
    return {}
  }

  function webhook (text: string): Answer {
    const bodies = (JSON.parse(text) as { records: Array<{ body: TakenBody }> }).records.map(({ body }) => body)
    // A call is taken or refused as a whole, by its first body.
    if (throttled('http', bodies[0]!)) return { status: 429 }
    for (const body of bodies) onTaken('http', body)
    return {}
  }

  function kinesis (text: string): object {
    const { Records } = JSON.parse(text) as { Records: StreamRecord[] }
    const results = Records.map(record => take('kinesis-stream', record) ? { SequenceNumber: String(++sequence), ShardId: 'shardId-000000000000' } : exceeded)
    return { FailedRecordCount: results.filter(result => result === exceeded).length, Records: results }
  }

  function firehose (text: string): object {
    const { Records } = JSON.parse(text) as { Records: StreamRecord[] }
    const results = Records.map(record => take('kinesis-firehose', record) ? { RecordId: String(++sequence) } : exceeded)
    return { FailedPutCount: results.filter(result => result === exceeded).length, RequestResponses: results }
  }

  function take (target: TargetName, record: StreamRecord): boolean {
    const body = bodyOf(record.Data)
    if (throttled(target, body)) return false
    onTaken(target, body)
    return true
  }

  async function passOn (url: string, headers: IncomingMessage['headers'], text: string): Promise<object> {
    const input = JSON.parse(text) as { Records: StreamRecord[] }
    const passed = input.Records.map(({ Data }) => !throttled('kinesis-stream', bodyOf(Data)))
    const Records = input.Records.filter((_record, i) => passed[i])
    const { authorization = '', 'x-amz-target': target = '', 'x-amz-date': date = '' } = headers
    const taken = Records.length === 0 ? [] : await put({ ...input, Records })
    return { FailedRecordCount: passed.length - Records.length, Records: passed.map(passed => passed ? taken.shift() : exceeded) }

    async function put (input: object): Promise<unknown[]> {
      const { statusCode, body } = await request(url, {
        method: 'POST',
        headers: { authorization, 'x-amz-target': String(target), 'x-amz-date': String(date), 'content-type': 'application/x-amz-json-1.1' },
        body: JSON.stringify(input)
      })
      const answer = await body.text()
      if (statusCode !== 200) throw new Error(`Kinesis answered ${statusCode}: ${answer}`)
      return (JSON.parse(answer) as { Records: unknown[] }).Records
    }
  }

  const server = createServer({ keepAliveTimeout: 72_000 }, (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => { chunks.push(chunk) })
    request.on('end', () => {
      void answer(request, Buffer.concat(chunks).toString()).then(({ status = 200, body }) => {
        const bytes = Buffer.from(body === undefined ? '' : JSON.stringify(body))
        response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'content-length': bytes.length }).end(bytes)
      }, (error: unknown) => {
        console.error(String(error))
        response.writeHead(500, { 'content-length': 0 }).end()
      })
    })
  }).listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async close () {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    }
  }
}

/** Returns the body in a record. @param data of the record, in base64 */
export function bodyOf (data: string): TakenBody {
  return (JSON.parse(Buffer.from(data, 'base64').toString()) as { body: TakenBody }).body
}
