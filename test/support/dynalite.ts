import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { DynamoDBClient, GetItemCommand, type AttributeValue } from '@aws-sdk/client-dynamodb'
import type { Test } from 'tap'
import { Agent, request } from 'undici'
import { pointAwsAt } from './aws.ts'

// The package has no types.
const dynalite = createRequire(import.meta.url)('dynalite') as (options: { createTableMs: number, deleteTableMs: number, updateTableMs: number }) => Server

export interface Reply {
  status: number
  body: object
}

export interface Call {
  operation: string
  body: Record<string, unknown>
}

export interface Key {
  id: { S: string }
}

/** Returns the keys that a BatchGetItem requests from a table. */
export function keysOf ({ RequestItems }: Call['body'], table: string): Key[] {
  return (RequestItems as Record<string, { Keys: Key[] }>)[table]!.Keys
}

/** Returns a BatchGetItem for other keys of a table. */
export function forKeys ({ RequestItems }: Call['body'], table: string, Keys: Key[]): Call['body'] {
  return { RequestItems: { [table]: { ...(RequestItems as Record<string, object>)[table], Keys } } }
}

/** Returns the write requests of a BatchWriteItem for a table. */
export function writesOf ({ RequestItems }: Call['body'], table: string): object[] {
  return (RequestItems as Record<string, object[]>)[table]!
}

/** Answers in place of the emulator, or passes the call on to it. */
export type Intercept = (call: Call, pass: (body?: object) => Promise<Reply>) => Promise<Reply> | Reply

export interface TestDynamo {
  /** A client for the test. */
  client: DynamoDBClient
  /** All calls so far, oldest first. */
  calls: Call[]
  /** Returns the bodies of the calls of an operation. */
  callsOf: (operation: string) => Array<Call['body']>
  /** Sets the interceptor of later calls; undefined: the emulator answers again. */
  intercept: (intercept: Intercept | undefined) => void
  item: (table: string, id: string) => Promise<Record<string, AttributeValue> | undefined>
}

/** Returns DynamoDB's answer to a call that it refuses. */
export function refusal (name: string, status = 400): Reply {
  return { status, body: { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: 'says the test' } }
}

/** Returns a promise that never settles, for a call without an answer. */
export async function silence (): Promise<Reply> {
  return new Promise(() => {})
}

/** Starts a DynamoDB emulator behind a server that can answer in its place. SDK clients that are opened later use it, until the test ends. */
export async function startDynamo (t: Test): Promise<TestDynamo> {
  const emulator = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 }).listen(0, '127.0.0.1')
  const front = createServer((req, res) => {
    // A call that is still under way at the end of the test gets no answer.
    serve(req, res).catch(() => { res.destroy() })
  }).listen(0, '127.0.0.1')
  await Promise.all([once(emulator, 'listening'), once(front, 'listening')])
  const upstream = `http://127.0.0.1:${(emulator.address() as AddressInfo).port}`
  const agent = new Agent()
  const calls: Call[] = []
  const passing = new Set<Promise<Reply>>()
  let ended = false
  let intercept: Intercept = async (_call, pass) => pass()

  async function pass (headers: Record<string, string>, body: object): Promise<Reply> {
    if (ended) throw new Error('the test is over')
    const answer = await request(upstream, { method: 'POST', headers, body: hidden(JSON.stringify(body)), dispatcher: agent })
    return { status: answer.statusCode, body: JSON.parse(shown(await answer.body.text())) as object }
  }

  async function serve (req: IncomingMessage, res: ServerResponse): Promise<void> {
    const operation = String(req.headers['x-amz-target']).split('.')[1]!
    const call: Call = { operation, body: JSON.parse(await text(req)) as Call['body'] }
    calls.push(call)
    const { host: _host, 'content-length': _length, connection: _connection, ...headers } = req.headers
    const { status, body } = await intercept(call, async (body = call.body) => {
      const passed = pass(headers as Record<string, string>, body)
      passing.add(passed)
      return passed.finally(() => passing.delete(passed))
    })
    res.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(body))
  }

  pointAwsAt(t, `http://127.0.0.1:${(front.address() as AddressInfo).port}`)
  const client = new DynamoDBClient({ maxAttempts: 1 })
  t.teardown(async () => {
    client.destroy()
    ended = true
    front.closeAllConnections()
    // The emulator fails if it is closed during a call.
    await Promise.allSettled(passing)
    await agent.destroy()
    await Promise.all([front, emulator].map(async server => {
      server.close()
      await once(server, 'close')
    }))
  })
  return {
    client,
    calls,
    callsOf: operation => calls.filter(call => call.operation === operation).map(({ body }) => body),
    intercept (wanted = async (_call, pass) => pass()) { intercept = wanted },
    item: async (table, id) => (await client.send(new GetItemCommand({ TableName: table, Key: { id: { S: id } } }))).Item
  }
}

// The emulator loses a key named `__proto__`, which DynamoDB keeps.
const hidden = (json: string): string => json.replaceAll('"__proto__"', '"__hidden_proto__"')
const shown = (json: string): string => json.replaceAll('"__hidden_proto__"', '"__proto__"')
