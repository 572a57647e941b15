import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { CreateStreamCommand, DescribeStreamSummaryCommand, GetRecordsCommand, GetShardIteratorCommand, KinesisClient } from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import type { Test } from 'tap'
import { Agent, request } from 'undici'
import { pointAwsAt } from './aws.ts'
import { eventually } from './eventually.ts'

// The package has no types.
const kinesalite = createRequire(import.meta.url)('kinesalite') as (options: { createStreamMs: number, deleteStreamMs: number }) => Server

export interface TestKinesis {
  /** Returns the number of PutRecords calls. */
  puts: () => number
  /** Returns the data of all records in the stream, in order. */
  read: () => Promise<string[]>
  /** Throttles a random share of the records in PutRecords calls, 0 to 1. */
  throttle: (share: number) => void
}

interface Records {
  Records: unknown[]
}

interface Answer {
  status: number
  body: string
}

/**
 * Starts a Kinesis emulator with one stream of one shard, behind a server that throttles records as Kinesis does. SDK clients that are
 * opened later use it, until the test ends.
 * @param random returns a number from 0 up to 1
 */
export async function startKinesis (t: Test, streamName: string, random: () => number): Promise<TestKinesis> {
  const emulator = kinesalite({ createStreamMs: 0, deleteStreamMs: 0 }).listen(0, '127.0.0.1')
  const front = createServer((req, res) => { serve(req, res).catch(() => { res.destroy() }) }).listen(0, '127.0.0.1')
  await Promise.all([once(emulator, 'listening'), once(front, 'listening')])
  const upstream = `http://127.0.0.1:${(emulator.address() as AddressInfo).port}`
  const agent = new Agent()
  let share = 0
  let puts = 0

  async function serve (req: IncomingMessage, res: ServerResponse): Promise<void> {
    const input = await text(req)
    const { host: _host, 'content-length': _length, connection: _connection, expect: _expect, ...headers } = req.headers
    const pass = async (body: string): Promise<Answer> => {
      const answer = await request(upstream, { method: 'POST', headers, body, dispatcher: agent })
      return { status: answer.statusCode, body: await answer.body.text() }
    }
    const putting = String(req.headers['x-amz-target']).endsWith('.PutRecords')
    if (putting) puts++
    const { status, body } = await (putting && share > 0 ? throttled(JSON.parse(input) as Records, pass) : pass(input))
    res.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(body)
  }

  async function throttled (input: Records, pass: (body: string) => Promise<Answer>): Promise<Answer> {
    const taken = input.Records.map(() => random() >= share)
    const passed = input.Records.filter((_record, i) => taken[i])
    const results = passed.length === 0 ? [] : (JSON.parse((await pass(JSON.stringify({ ...input, Records: passed }))).body) as Records).Records
    const refused = { ErrorCode: 'ProvisionedThroughputExceededException', ErrorMessage: 'Rate exceeded for shard shardId-000000000000' }
    const Records = taken.map(took => took ? results.shift() : refused)
    return { status: 200, body: JSON.stringify({ FailedRecordCount: input.Records.length - passed.length, Records }) }
  }

  pointAwsAt(t, `http://127.0.0.1:${(front.address() as AddressInfo).port}`)
  const client = new KinesisClient({ maxAttempts: 1, requestHandler: new NodeHttpHandler() })
  t.teardown(async () => {
    client.destroy()
    front.closeAllConnections()
    await agent.destroy()
    await Promise.all([front, emulator].map(async server => {
      server.close()
      await once(server, 'close')
    }))
  })
  await client.send(new CreateStreamCommand({ StreamName: streamName, ShardCount: 1 }))
  await eventually('the stream is there', async () => {
    const { StreamDescriptionSummary } = await client.send(new DescribeStreamSummaryCommand({ StreamName: streamName }))
    return StreamDescriptionSummary?.StreamStatus === 'ACTIVE'
  })
  return {
    puts: () => puts,
    throttle (wanted) { share = wanted },
    async read () {
      const shard = { StreamName: streamName, ShardId: 'shardId-000000000000', ShardIteratorType: 'TRIM_HORIZON' } as const
      let { ShardIterator } = await client.send(new GetShardIteratorCommand(shard))
      const texts: string[] = []
      for (let more = true; more;) {
        const { Records = [], NextShardIterator } = await client.send(new GetRecordsCommand({ ShardIterator }))
        texts.push(...Records.map(({ Data }) => Buffer.from(Data!).toString()))
        ShardIterator = NextShardIterator
        more = Records.length > 0
      }
      return texts
    }
  }
}
