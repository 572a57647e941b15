import Type from 'typebox'
import { failures } from '../delivery/failures.ts'
import type { Failure, Refusal } from '../delivery/sink.ts'
import { isRefusedForNow, ownPrefix } from '../connections/redis-problems.ts'
import { failureWord } from '../base/errors.ts'
import { strict } from '../base/schema.ts'
import { openBatched } from './batched.ts'
import { eventTargetType } from './target.ts'
import { recordsOf } from './record.ts'

/** The limits of one pipeline. */
const limits = { parcels: 500, bytes: 1024 * 1024, calls: 4 }

/** A stream in the Redis of this process. Each body becomes one or more entries, whose only field is `record`. */
export const redisStream = eventTargetType({
  type: 'redis-stream',
  schema: strict({
    type: Type.Literal('redis-stream'),
    stream: Type.String({ pattern: '^[\\x20-\\x7e]{1,512}$' }),
    maxLength: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000_000 }))
  }),
  check: ({ stream }) => stream.startsWith(ownPrefix) ? [{ key: 'stream', message: `must not begin with "${ownPrefix}", as what the gateway keeps itself` }] : [],
  async open (config, scope) {
    const { stream, maxLength = 1_000_000 } = config
    const { redisOf } = await import('../connections/redis.ts')
    const redis = await redisOf(scope)
    return openBatched(scope, config, {
      limits,
      atomic: false,
      takesBodies: true,
      split: body => recordsOf(body, limits.bytes).map(({ text, ...parcel }) => ({ value: text, ...parcel })),
      async send (records, signal) {
        if (!await redis.untilReady(connecting)) throw new NotConnected(`there is no connection to Redis: ${failureWord(redis.problem)}`)
        const pipeline = redis.commands.pipeline()
        for (const record of records) pipeline.xadd(stream, 'MAXLEN', '~', maxLength, '*', 'record', record)
        const answers = await Promise.race([pipeline.exec(), aborted(signal)]) ?? []
        const lost = answers[0]?.[0]
        if (lost != null && answers.every(([error]) => isLost(error))) throw lost
        return records.map((_record, i) => refusalOf(answers[i]))
      },
      failureOf
    })
  }
})

/** The error of a call that sent nothing, as there was no connection. */
class NotConnected extends Error {}

/** The longest time that a call waits for a connection, in ms. */
const connecting = 250

function failureOf (error: unknown): Failure {
  return error instanceof NotConnected ? failures.unavailable : failures.timeout
}

function refusalOf (answer: [error: Error | null, result: unknown] | undefined): Refusal | undefined {
  if (answer === undefined) return failures['invalid-answer']
  const [cause] = answer
  if (cause === null) return undefined
  if (isLost(cause)) return { ...failures.timeout, cause }
  return { ...(isRefusedForNow(cause) ? failures.throttled : failures.refused), cause }
}

/** Returns whether the outcome of a command is unknown: it timed out, or the connection broke. */
function isLost (error: Error | null): boolean {
  return error !== null && error.name !== 'ReplyError'
}

async function aborted (signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => { reject(signal.reason as Error) })
  })
}
