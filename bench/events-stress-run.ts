/** One run of bench/events-stress.ts. */
import { once } from 'node:events'
import { createRequire } from 'node:module'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { CreateStreamCommand, DescribeStreamCommand, GetRecordsCommand, GetShardIteratorCommand, KinesisClient } from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { createBook, violations, type Account, type Book } from './events-book.ts'
import { sendAll, type Sent } from './events-clients.ts'
import { startEventGateway } from './events-servers.ts'
import { bodyOf, startStub, targetNames, type TakenBody, type TargetName } from './events-stub.ts'
import { openProcesses } from './hits-processes.ts'
import { createRandom } from './soak-traffic.ts'

export interface StressOptions {
  events: number
  users: number
  clients: number
  seed: number
  /** The share of records, and of Personalize calls, that is refused at random. */
  throttleShare: number
  /** One in this many users is a user whose events a target never takes. */
  refusedOneIn: number
  /** Whether Kinesis is kinesalite, from which the records are read at the end. */
  kinesalite: boolean
  /** Whether the gateway gets a SIGTERM when half of the events are answered. */
  endHalfway: boolean
}

export interface StressReport {
  sent: Sent
  /** The time from the first request to the last answer. */
  seconds: number
  throttled: number
  targets: Record<TargetName, Account>
  /** With `endHalfway`, the exit code of the gateway, and how long it took to end, in ms. */
  end?: { code: number | null, ms: number }
  /** The number of violations at all targets. */
  violations: number
}

/** The type of kinesalite, which comes without types. */
type Kinesalite = (options: { createStreamMs: number, shardLimit: number }) => Server

const shards = 8
const streamName = 'bench'

/** Sends events while the targets refuse a share of them, and compares the reported outcomes with the arrived events. */
export async function stress (options: StressOptions): Promise<StressReport> {
  const { events, users, clients, seed, throttleShare, refusedOneIn, endHalfway } = options
  const book = createBook(events, users)
  const chance = createRandom(seed)
  let throttled = 0

  function isThrottled (target: TargetName, body: TakenBody): boolean {
    // A webhook call has events of many users. A user who is always refused would hold back all the others.
    const refused = target !== 'http' && userOf(body) % refusedOneIn === refusedOneIn - 1 - targetNames.indexOf(target)
    if (!refused && chance() >= throttleShare) return false
    throttled++
    return true
  }

  const processes = openProcesses('events-stress')
  const kinesis = options.kinesalite ? await startKinesis() : undefined
  const stub = await startStub({ onTaken: book.onTaken, throttled: isThrottled, ...(kinesis === undefined ? {} : { kinesisUrl: kinesis.url }) })
  try {
    const gateway = await startEventGateway(processes, stub.port)
    const ended = once(gateway.child, 'exit') as Promise<[number | null]>
    let end: Promise<StressReport['end']> | undefined
    const onHalf = (): void => {
      if (!endHalfway) return
      const told = performance.now()
      gateway.child.kill('SIGTERM')
      end = ended.then(([code]) => ({ code, ms: Math.round(performance.now() - told) }))
    }
    const started = performance.now()
    const sent = await sendAll({ port: gateway.port, book, events, clients, users, random: createRandom(seed + 1), onHalf })
    const seconds = (performance.now() - started) / 1000
    const ending = await end
    await processes.stop(gateway.child)
    await kinesis?.read(book)
    const targets = book.balance()
    const found = Object.values(targets).reduce((sum, account) => sum + violations.reduce((sum, name) => sum + account[name], 0), 0)
    return { sent, seconds, throttled, targets, ...(ending === undefined ? {} : { end: ending }), violations: found }
  } finally {
    await processes.close()
    await stub.close()
    await kinesis?.close()
  }
}

function userOf ({ userId, sessionId }: TakenBody): number {
  const id = userId ?? sessionId!
  return Number(id.slice(id.indexOf('-') + 1))
}

interface TestKinesis {
  url: string
  /** Enters all records into a book, shard by shard, in their order. */
  read: (book: Book) => Promise<void>
  close: () => Promise<void>
}

async function startKinesis (): Promise<TestKinesis> {
  const kinesalite = createRequire(import.meta.url)('kinesalite') as Kinesalite
  const server = kinesalite({ createStreamMs: 0, shardLimit: shards }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' }
  const client = new KinesisClient({ endpoint: url, region: 'us-east-1', credentials, requestHandler: new NodeHttpHandler() })
  await client.send(new CreateStreamCommand({ StreamName: streamName, ShardCount: shards }))
  const describe = async () => (await client.send(new DescribeStreamCommand({ StreamName: streamName }))).StreamDescription!
  while ((await describe()).StreamStatus !== 'ACTIVE') await sleep(10)

  async function readShard (ShardId: string, book: Book): Promise<void> {
    let { ShardIterator } = await client.send(new GetShardIteratorCommand({ StreamName: streamName, ShardId, ShardIteratorType: 'TRIM_HORIZON' }))
    for (;;) {
      const { Records = [], NextShardIterator, MillisBehindLatest } = await client.send(new GetRecordsCommand({ ShardIterator, Limit: 1_000 }))
      for (const { Data } of Records) book.onTaken('kinesis-stream', bodyOf(Buffer.from(Data!).toString('base64')))
      if (Records.length === 0 && MillisBehindLatest === 0) return
      ShardIterator = NextShardIterator
    }
  }

  return {
    url,
    async read (book) {
      for (const { ShardId } of (await describe()).Shards!) await readShard(ShardId!, book)
    },
    async close () {
      client.destroy()
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    }
  }
}
