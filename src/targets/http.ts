import { createHmac, hash } from 'node:crypto'
import Type from 'typebox'
import { failures } from '../delivery/failures.ts'
import type { Failure } from '../delivery/sink.ts'
import { headerProblems, HttpHeadersSchema } from '../base/http-headers.ts'
import { NameSchema, strict } from '../base/schema.ts'
import type { Scope } from '../connections/scope.ts'
import { UserError } from '../base/user-error.ts'
import { openBatched } from './batched.ts'
import { eventTargetType } from './target.ts'
import { deliverySchema } from './delivery.ts'
import { recordsOf } from './record.ts'

const [opening, closing] = ['{"records":[', ']}']

/** The limits of one call. The size of a record includes the comma behind it. */
const limits = { parcels: 500, bytes: 1024 * 1024 - opening.length - closing.length, calls: 8 }
const comma = 1

/** Connecting times out before the call does: a request that was never sent can be retried. */
const agentOptions = { connections: 64, connectTimeout: 1_500, keepAliveTimeout: 30_000 }

/** How much of an answer's body is read and dropped, in bytes and in ms, so that the connection can be used again. */
const drained = { limit: 64 * 1024, patience: 1_000 }

/** A webhook: the target posts records to a URL, signed according to Standard Webhooks if there is a secret. */
export const http = eventTargetType({
  type: 'http',
  schema: strict({
    type: Type.Literal('http'),
    url: Type.String({ minLength: 1, maxLength: 2048 }),
    headers: Type.Optional(HttpHeadersSchema),
    secret: Type.Optional(NameSchema),
    delivery: deliverySchema
  }),
  check: ({ url, headers }) => [...urlProblems(url), ...headerProblems(headers), ...signatureProblems(headers)],
  async open (config, scope) {
    const sign = signerOf(config.secret, scope)
    const { origin, pathname, search } = new URL(config.url)
    const { Agent, errors } = await import('undici')
    const agent = await scope.share('webhooks', async () => new Agent(agentOptions), async opened => opened.destroy())
    const ownHeaders = Object.fromEntries(Object.entries(config.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]))
    return openBatched(scope, config, {
      limits,
      atomic: true,
      takesBodies: true,
      split: body => recordsOf(body, limits.bytes - comma).map(({ text, size, ...parcel }) => ({ value: text, size: size + comma, ...parcel })),
      async send (records, signal) {
        const body = opening + records.join() + closing
        const headers = { 'content-type': 'application/json', ...ownHeaders, ...sign(body) }
        const answer = await agent.request({ origin, path: pathname + search, method: 'POST', headers, body, signal })
        answer.body.dump({ limit: drained.limit, signal: AbortSignal.timeout(drained.patience) }).catch(() => {})
        if (answer.statusCode < 200 || answer.statusCode > 299) throw new NotTaken(answer.statusCode)
        return records.map(() => undefined)
      },
      failureOf (error, signal) {
        if (error instanceof NotTaken) return failureOfStatus(error.status)
        if (error instanceof errors.HTTPParserError || error instanceof errors.HeadersOverflowError) return failures['invalid-answer']
        return signal.aborted ? failures.timeout : failures.unavailable
      }
    })
  }
})

/** The error for an answer that says that the receiver took nothing of a call. */
class NotTaken extends Error {
  readonly status: number

  constructor (status: number) {
    super(`it answered ${status}`)
    this.status = status
  }
}

function failureOfStatus (status: number): Failure {
  if (status === 429) return failures.throttled
  if (status === 408 || status >= 500) return failures.unavailable
  // A redirect, or one of these statuses, means that the URL or the credentials are wrong, and not a record.
  if (status < 400 || [401, 403, 404, 410].includes(status)) return failures.refused
  return failures['bad-request']
}

/**
 * Returns a function that makes the headers of Standard Webhooks: https://www.standardwebhooks.com. The id is a hash of the body, by
 * which a receiver recognizes a call that came twice.
 * @throws UserError if the process does not have the secret
 */
function signerOf (name: string | undefined, { webhookSecrets, now }: Pick<Scope, 'webhookSecrets' | 'now'>): (body: string) => Record<string, string> {
  const key = name === undefined ? undefined : webhookSecrets?.get(name)
  if (name !== undefined && key === undefined) throw new UserError(`an event target of the configuration is signed with "${name}"; expected a secret of that name in WEBHOOK_SECRETS`)
  return body => {
    const id = `msg_${hash('sha256', body, 'base64url')}`
    const timestamp = String(Math.floor(now() / 1000))
    const signature = key && createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
    return { 'webhook-id': id, 'webhook-timestamp': timestamp, ...(signature && { 'webhook-signature': `v1,${signature}` }) }
  }
}

function urlProblems (text: string): Array<{ key: string, message: string }> {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) return [{ key: 'url', message: 'expected an address that begins with https:// or http://' }]
  if (url.username !== '' || url.password !== '') return [{ key: 'url', message: 'must not hold credentials; expected them in a header' }]
  return []
}

function signatureProblems (headers: Readonly<Record<string, string>> = {}): Array<{ key: string, message: string }> {
  return Object.keys(headers)
    .filter(name => /^webhook-(?:id|timestamp|signature)$/i.test(name))
    .map(name => ({ key: `headers/${name}`, message: 'is set by the signature' }))
}
