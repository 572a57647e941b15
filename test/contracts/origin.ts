import t, { type Test } from 'tap'
import type { Failure } from '../../docker/aws-local/failures.ts'
import type { Provider } from '../../src/base/errors.ts'
import type { Action, Origin, OriginAnswer, OriginRequest } from '../../src/origins/origin.ts'
import { OriginError, type OriginFailure } from '../../src/origins/origin-error.ts'
import { originTypes } from '../../src/origins/registry.ts'
import { requests } from '../support/open-origin.ts'

/** A running provider, and an origin that calls it. */
export interface OriginUnderTest {
  origin: Origin
  /** Returns the provider's answer to the request in `requests` for an action. */
  expected: (action: Action) => Promise<OriginAnswer> | OriginAnswer
  misbehave: (failure: Failure) => void
  /** Returns the number of requests that the provider has received. */
  received: () => number
  /** Resolves once the provider has received so many requests. */
  reached: (count: number) => Promise<unknown>
}

export interface OriginContract {
  type: string
  provider: Provider
  open: (t: Test) => Promise<OriginUnderTest>
  /** Failures with another meaning for this provider, or that only this provider has. */
  failures?: Partial<Record<Failure, OriginFailure>>
}

const failures: Partial<Record<Failure, OriginFailure>> = {
  400: 'bad-request',
  403: 'refused',
  404: 'refused',
  429: 'throttled',
  500: 'unavailable',
  503: 'unavailable',
  'html-502': 'unavailable',
  'empty-503': 'unavailable',
  reset: 'unavailable',
  'truncated-json': 'invalid-answer',
  'wrong-shape': 'invalid-answer'
}

/** Tests the behaviour that the gateway requires of each origin. */
export function originContract ({ type, provider, open, failures: own }: OriginContract): void {
  const { actions } = originTypes.get(type)!
  const patient = (): AbortSignal => new AbortController().signal

  for (const action of actions) {
    const request: OriginRequest = requests[action]

    t.test(`${type} answers ${action} as the provider says, with one call`, async t => {
      const { origin, expected, received } = await open(t)
      const wanted = await expected(action)
      const before = received()
      t.strictSame(plain(await origin.recommend(request, patient())), plain(wanted))
      t.equal(received(), before + 1)
      if (action === 'predicted-ratings') {
        t.equal(wanted.ratings?.length, request.itemIds?.length)
      } else {
        t.ok(wanted.items.length > 1, 'there is an order to keep')
        t.ok(wanted.items.every(({ score }) => typeof score === 'number'), 'there are scores')
        t.ok(wanted.items.some(item => Object.keys(item).length > 2), 'there is more than id and score')
      }
      t.equal(typeof wanted.recommendationId, 'string')
    })

    t.test(`${type} ends a call of ${action} at once when the signal says so`, async t => {
      const { origin, misbehave, received, reached } = await open(t)
      misbehave('hang')
      const controller = new AbortController()
      const before = received()
      const call = origin.recommend(request, controller.signal)
      call.catch(() => {})
      await reached(before + 1)
      const aborted = performance.now()
      controller.abort()
      await rejectsWith(t, call, provider, 'timeout')
      t.ok(performance.now() - aborted < 500, 'the wait ended with the signal')
    })

    t.test(`${type} tells what went wrong with ${action}`, async t => {
      const { origin, misbehave, received } = await open(t)
      for (const [failure, classified] of Object.entries({ ...failures, ...own }) as Array<[Failure, OriginFailure]>) {
        misbehave(failure)
        const before = received()
        await rejectsWith(t, origin.recommend(request, patient()), provider, classified, failure)
        // The call before has left its connection, and a call whose kept connection breaks is repeated on a new one.
        const repeats = failure === 'reset' ? 1 : 0
        t.equal(received(), before + 1 + repeats, `${failure}: retrying is not the adapter's business`)
      }
    })

    t.test(`${type} makes one call of ${action} where a new connection breaks`, async t => {
      const { origin, misbehave, received } = await open(t)
      misbehave('reset')
      for (const calls of [1, 2, 3]) {
        await rejectsWith(t, origin.recommend(request, patient()), provider, 'unavailable')
        t.equal(received(), calls)
      }
    })
  }

  t.test(`${type} asks nothing for a caller who is gone already`, async t => {
    const { origin, received } = await open(t)
    await rejectsWith(t, origin.recommend(requests[actions[0]!], AbortSignal.abort()), provider, 'timeout')
    t.equal(received(), 0)
  })

  t.test(`${type} answers many at once, each with its own answer`, async t => {
    const { origin } = await open(t)
    const asked = [1, 2, 3, 4, 5, 6, 7, 8]
    const answers = await Promise.all(asked.map(async numResults => origin.recommend({ ...requests['recommend-items'], numResults }, patient())))
    t.strictSame(answers.map(({ items }) => items.length), asked)
  })
}

async function rejectsWith (t: Test, call: Promise<unknown>, provider: Provider, failure: OriginFailure, name: string = failure): Promise<void> {
  const error: unknown = await call.then(() => undefined, (reason: unknown) => reason)
  t.ok(error instanceof OriginError, `${name}: is an OriginError`)
  t.match(error, { provider, failure }, name)
  t.ok((error as OriginError).cause !== undefined, `${name}: keeps its cause`)
  t.notMatch((error as OriginError).message, /not valid|not authorized|Rate exceeded|says/, `${name}: keeps the provider's words to itself`)
}

/** Returns an answer as JSON carries it. */
function plain (answer: OriginAnswer): unknown {
  return JSON.parse(JSON.stringify(answer))
}
