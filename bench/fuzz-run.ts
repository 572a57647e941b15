import { Agent, request as send } from 'node:http'
import { createOracle, longestUrl, operationsOf } from './fuzz-oracle.ts'
import { createRequests, type FuzzedRequest } from './fuzz-requests.ts'

export interface FuzzOptions {
  /** The URL of a gateway. */
  url: string
  document: { paths: object }
  requests: number
  /** Returns a random number, 0 ≤ x < 1. */
  random: () => number
  adminKey: string
  /** Values for parameters of the path that are names of the configuration. */
  names: Readonly<Record<string, readonly string[]>>
}

export interface FuzzResult {
  /** Requests by status, and by the document's verdict. */
  statuses: Map<string, number>
  /** Answers that contradict the document, with their requests. */
  wrong: string[]
}

interface Answer {
  status: number
  ignored: string | undefined
  body: string
}

/** From about 16 KiB on, Node.js refuses the request line and the headers together. */
const longestHead = 15_000

/** Codes of refusals that concern the configuration, not a value. */
const ofConfiguration = new Set(['NamespaceNotFound', 'RecommenderNotConfigured', 'NoDatasets', 'NoEventTargets'])

/** Sends random requests and compares each answer with what the OpenAPI document says of the request. */
export async function fuzz ({ url: base, document, requests, random, adminKey, names }: FuzzOptions): Promise<FuzzResult> {
  const { judge } = createOracle()
  const make = createRequests(operationsOf(document), names, random)
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  const statuses = new Map<string, number>()
  const wrong: string[] = []
  const batch = 8
  try {
    for (let done = 0; done < requests; done += batch) {
      // All are made before the first answer, so that the order of answers changes nothing.
      const made = Array.from({ length: Math.min(batch, requests - done) }, make)
      const answers = await Promise.all(made.map(async request => call(agent, base, request, adminKey)))
      for (const [i, request] of made.entries()) compare(request, answers[i]!)
    }
  } finally {
    agent.destroy()
  }
  return { statuses, wrong }

  function compare (request: FuzzedRequest, { status, ignored, body }: Answer): void {
    const { operation, url, path, query } = request
    const verdict = url.length > longestHead ? 'far too long' : url.length > longestUrl ? 'too long' : judge(operation, path, query)
    const key = `${verdict}: ${status}`
    statuses.set(key, (statuses.get(key) ?? 0) + 1)
    const problem = problemOf(verdict, status, body) ?? unnamed(request, status, ignored)
    if (problem !== undefined) wrong.push(`${problem}: ${operation.method} ${url.slice(0, 400)} → ${status} ${body.slice(0, 300)}`)
  }
}

function problemOf (verdict: string, status: number, body: string): string | undefined {
  if (status >= 500) return 'a server error'
  const code = status >= 400 ? codeOf(body) : undefined
  if (status >= 400 && code === undefined) return 'a refusal that is not of the contract'
  if (verdict === 'too long') return status === 414 || code === 'InvalidUrl' ? undefined : 'a URL that is too long was not refused as such'
  if (verdict === 'far too long') return status === 414 || status === 431 || code === 'InvalidUrl' ? undefined : 'a URL that is far too long was not refused as such'
  if (verdict === 'allowed' && status !== 200 && !ofConfiguration.has(code!)) return 'allowed by the document, and refused'
  if (verdict === 'excluded' && status !== 400) return 'excluded by the document, and not refused as invalid'
  return undefined
}

/** Returns a problem if a parameter without effect is not named in the header. */
function unnamed ({ operation, query }: FuzzedRequest, status: number, ignored: string | undefined): string | undefined {
  if (status !== 200 || operation.path.startsWith('/events/')) return undefined
  const strange = query.map(([name]) => decodeURIComponent(name.replaceAll('+', ' '))).filter(name => name !== '' && !operation.parameters.some(other => other.in === 'query' && other.name === name))
  return (strange.length > 0) === (ignored !== undefined) ? undefined : 'the header names other parameters than those without effect'
}

function codeOf (body: string): string | undefined {
  try {
    const { type, code, message, requestId } = JSON.parse(body) as Record<string, unknown>
    return [type, code, message, requestId].every(member => typeof member === 'string' && member !== '') ? code as string : undefined
  } catch {
    return undefined
  }
}

async function call (agent: Agent, base: string, { operation: { method, body }, url }: FuzzedRequest, adminKey: string): Promise<Answer> {
  const { hostname, port } = new URL(base)
  const payload = body === undefined ? undefined : JSON.stringify(body)
  const headers = { 'x-api-key': adminKey, ...(payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }) }
  return new Promise((resolve, reject) => {
    const sent = send({ agent, hostname, port, method, path: url, headers, timeout: 30_000 }, response => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => { resolve({ status: response.statusCode!, ignored: response.headers['x-personalization-ignored-parameters'] as string | undefined, body: Buffer.concat(chunks).toString() }) })
      response.on('error', reject)
    })
    sent.on('timeout', () => { sent.destroy(new Error(`no answer to ${method} ${url.slice(0, 200)}`)) })
    sent.on('error', reject)
    sent.end(payload)
  })
}
