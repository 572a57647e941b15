import t, { type Test } from 'tap'
import type { Origin, OriginAnswer, OriginRequest } from '../../src/origins/origin.ts'
import { OriginError, type OriginFailure } from '../../src/origins/origin-error.ts'
import { protect, type ProtectedOrigin } from '../../src/origins/protect.ts'
import type { Resilience } from '../../src/origins/resilience.ts'
import { eventually } from '../support/eventually.ts'

const request: OriginRequest = { action: 'recommend-items', namespace: 'shop', recommender: 'home', userId: 'u', numResults: 3, decorateItems: true }
const answer: OriginAnswer = { items: [{ itemId: 'a' }] }
const patient = (): AbortSignal => new AbortController().signal

/** The timer of a signal keeps no process alive. */
const alive = setInterval(() => {}, 1000)
t.teardown(() => clearInterval(alive))

interface Script {
  origin: Origin
  /** What the next calls do; once they are used up, the last goes on. */
  next: Array<OriginFailure | 'answer' | 'hang'>
  /** When each call came. */
  calls: number[]
  /** Ends the calls that hang, with an answer. */
  release: () => void
}

function scripted (...next: Script['next']): Script {
  const calls: number[] = []
  const hanging: Array<(answer: OriginAnswer) => void> = []
  const script: Script = {
    next,
    calls,
    release: () => { for (const resolve of hanging.splice(0)) resolve(answer) },
    origin: {
      async recommend (_request, signal) {
        calls.push(performance.now())
        const what = script.next.length > 1 ? script.next.shift()! : script.next[0]!
        if (what === 'answer') return answer
        if (what !== 'hang') throw new OriginError('Http', what)
        return new Promise((resolve, reject) => {
          hanging.push(resolve)
          signal.addEventListener('abort', () => reject(new OriginError('Http', 'timeout')))
        })
      }
    }
  }
  return script
}

const protectedBy = ({ origin }: Script, resilience: Resilience, random?: () => number): ProtectedOrigin => protect(origin, 'Http', resilience, random === undefined ? {} : { random })

async function failureOf (call: Promise<unknown>): Promise<OriginFailure | undefined> {
  return call.then(() => undefined, (error: unknown) => {
    if (error instanceof OriginError) return error.failure
    throw error
  })
}

t.test('throttled and unavailable are tried again, as often as configured', async t => {
  for (const failure of ['throttled', 'unavailable'] as const) {
    const script = scripted(failure)
    t.equal(await failureOf(protectedBy(script, { retries: 3 }, () => 0).recommend(request, patient())), failure)
    t.equal(script.calls.length, 4)
    const recovered = scripted(failure, failure, 'answer')
    t.strictSame(await protectedBy(recovered, { retries: 3 }, () => 0).recommend(request, patient()), answer)
    t.equal(recovered.calls.length, 3)
  }
})

t.test('nothing else is tried again', async t => {
  for (const failure of ['bad-request', 'refused', 'timeout', 'invalid-answer'] as const) {
    const script = scripted(failure)
    t.equal(await failureOf(protectedBy(script, { retries: 5 }, () => 0).recommend(request, patient())), failure)
    t.equal(script.calls.length, 1, failure)
  }
})

t.test('chance spreads the pauses, which grow', async t => {
  const script = scripted('unavailable')
  const draws = [0.5, 0.5, 0.5]
  await failureOf(protectedBy(script, { retries: 3 }, () => draws.shift()!).recommend(request, patient()))
  t.equal(draws.length, 0, 'one draw for each pause')
  const pauses = script.calls.slice(1).map((at, i) => at - script.calls[i]!)
  for (const [i, least] of [20, 40, 80].entries()) t.ok(pauses[i]! >= least - 2, `pause ${i + 1}: ${pauses[i]} ms`)
})

t.test('retries end with the deadline, and say what went wrong before it', async t => {
  const script = scripted('throttled')
  const started = performance.now()
  t.equal(await failureOf(protectedBy(script, { retries: 5 }, () => 1).recommend(request, AbortSignal.timeout(60))), 'throttled')
  const took = performance.now() - started
  t.ok(took < 60 + 400, `${took} ms`)
  const last = script.calls.at(-1)! - started
  t.ok(last <= 61, `the last try came after ${last} ms`)
  t.ok(script.calls.length < 6)
})

t.test('a retry that the deadline cuts off leaves the failure that was seen before it', async t => {
  const script = scripted('unavailable', 'hang')
  const deadline = new AbortController()
  const failed = failureOf(protectedBy(script, { retries: 1 }, () => 0).recommend(request, deadline.signal))
  await eventually('the retry is under way', () => script.calls.length === 2)
  deadline.abort()
  t.equal(await failed, 'unavailable')
})

/** Uses up the failures that open a breaker. */
async function open (t: Test, origin: ProtectedOrigin, failures: number): Promise<void> {
  for (let i = 0; i < failures; i++) t.equal(await failureOf(origin.recommend(request, patient())), 'unavailable')
}

t.test('the breaker opens at the configured number of failures where nothing else succeeds, probes, and closes on recovery', async t => {
  const script = scripted('unavailable')
  const probeInterval = 60
  const origin = protectedBy(script, { retries: 0, breaker: { failures: 3, probeInterval } })
  await open(t, origin, 3)
  const opened = performance.now()
  for (let i = 0; i < 50; i++) t.equal(await failureOf(origin.recommend(request, patient())), 'circuit-open')
  t.equal(script.calls.length, 3, 'an open breaker lets nothing through')

  await eventually('a probe is let through', async () => {
    await failureOf(origin.recommend(request, patient()))
    return script.calls.length === 4
  })
  t.ok(script.calls[3]! - opened >= probeInterval - 3, 'not before its time')
  t.equal(await failureOf(origin.recommend(request, patient())), 'circuit-open', 'a probe that fails keeps the breaker open')

  script.next = ['answer']
  const recovered = performance.now()
  await eventually('the breaker closes', async () => await failureOf(origin.recommend(request, patient())) === undefined)
  const took = performance.now() - recovered
  t.ok(took < probeInterval + 400, `within its probe interval: ${took} ms`)
  for (let i = 0; i < 10; i++) t.equal(await failureOf(origin.recommend(request, patient())), undefined, 'and stays closed')
})

t.test('more failures than configured do not open the breaker while most calls succeed', async t => {
  const script = scripted('answer', 'answer', 'answer', 'answer', 'unavailable', 'unavailable', 'answer', 'unavailable', 'unavailable', 'answer')
  const origin = protectedBy(script, { retries: 0, breaker: { failures: 3 } })
  for (let i = 0; i < 10; i++) t.not(await failureOf(origin.recommend(request, patient())), 'circuit-open')
  t.equal(script.calls.length, 10)
})

t.test('answers that cannot be used never open the breaker, and are no failures of it beside others', async t => {
  const origin = protectedBy(scripted('invalid-answer'), { retries: 0, breaker: { failures: 1 } })
  for (let i = 0; i < 20; i++) t.equal(await failureOf(origin.recommend(request, patient())), 'invalid-answer')

  const script = scripted(...Array<'invalid-answer'>(20).fill('invalid-answer'), 'unavailable', 'invalid-answer')
  const flaky = protectedBy(script, { retries: 0, breaker: { failures: 1 } })
  for (let i = 0; i < 22; i++) t.not(await failureOf(flaky.recommend(request, patient())), 'circuit-open', 'the provider answers nearly every call')
})

t.test('a run of failures opens the breaker after a second without a success, whatever was before', async t => {
  const clock = { now: 0 }
  const script = scripted('answer')
  const origin = protect(script.origin, 'Http', { retries: 0, breaker: { failures: 3 } }, { now: () => clock.now })
  for (let i = 0; i < 1000; i++) await origin.recommend(request, patient())
  script.next = ['unavailable']
  for (clock.now = 0; clock.now <= 1000; clock.now += 100) t.equal(await failureOf(origin.recommend(request, patient())), 'unavailable')
  t.equal(await failureOf(origin.recommend(request, patient())), 'circuit-open')
})

t.test('what is the caller\'s or the configuration\'s mistake never opens the breaker', async t => {
  const script = scripted('bad-request', 'refused', 'bad-request', 'refused')
  const origin = protectedBy(script, { retries: 0, breaker: { failures: 1 } })
  for (let i = 0; i < 4; i++) t.not(await failureOf(origin.recommend(request, patient())), 'circuit-open')
  t.equal(script.calls.length, 4)
})

t.test('a failure that opens the breaker is told as what it was, though a retry met the open breaker', async t => {
  const script = scripted('throttled')
  const origin = protectedBy(script, { retries: 1, breaker: { failures: 1 } }, () => 0)
  t.equal(await failureOf(origin.recommend(request, patient())), 'throttled')
  t.equal(script.calls.length, 1)
})

t.test('while a probe is under way nobody else waits for it', async t => {
  const script = scripted('unavailable')
  const origin = protectedBy(script, { retries: 0, breaker: { failures: 1, probeInterval: 20 } })
  await open(t, origin, 1)
  script.next = ['hang']
  const probe = { call: undefined as Promise<unknown> | undefined }
  await eventually('a probe is under way', async () => {
    const call = origin.recommend(request, patient())
    call.catch(() => {})
    if (script.calls.length === 2) probe.call = call
    return probe.call !== undefined
  })
  const outcome = await Promise.race([failureOf(origin.recommend(request, AbortSignal.timeout(50))), eventually('never', () => false, 500).catch(() => 'waits')])
  t.equal(outcome, 'circuit-open')
  t.equal(script.calls.length, 2, 'one probe at a time')
  script.release()
  await probe.call
})

t.test('the bulkhead refuses what is too much, at once, and does not count it against the provider', async t => {
  const script = scripted('hang')
  const origin = protectedBy(script, { bulkhead: 3, retries: 5, breaker: { failures: 1 } }, () => 1)
  const inside = Array.from({ length: 3 }, async () => failureOf(origin.recommend(request, patient())))
  const outside = await Promise.all(Array.from({ length: 20 }, async () => failureOf(origin.recommend(request, patient()))))
  t.strictSame(outside, Array(20).fill('overloaded'))
  t.equal(script.calls.length, 3)
  script.release()
  t.strictSame(await Promise.all(inside), [undefined, undefined, undefined])
  script.next = ['answer']
  t.equal(await failureOf(origin.recommend(request, patient())), undefined, 'there is room again')
})

t.test('answers are timed, failures are not', async t => {
  const script = scripted(...Array<'answer'>(128).fill('answer'), 'unavailable')
  const origin = protectedBy(script, { retries: 0, breaker: { failures: 1000 } })
  for (let i = 0; i < 64; i++) await origin.recommend(request, patient())
  const p95 = origin.latencies.p95()
  t.ok(p95 !== undefined && p95 < 50)
  t.ok(p95! >= 0)
})

t.test('an error that is no OriginError becomes one, and counts', async t => {
  const cause = new TypeError('surprise')
  const origin = protect({ recommend: async () => { throw cause } }, 'Http', { retries: 0, breaker: { failures: 1 } })
  await t.rejects(origin.recommend(request, patient()), { name: 'OriginError', provider: 'Http', failure: 'unavailable', cause })
  t.equal(await failureOf(origin.recommend(request, patient())), 'circuit-open')
})
