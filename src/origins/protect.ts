import { bulkhead, BrokenCircuitError, BulkheadRejectedError, circuitBreaker, CircuitState, handleWhen, wrap } from 'cockatiel'
import { setTimeout as sleep } from 'node:timers/promises'
import { steadyPause } from '../base/steady-time.ts'
import type { Provider } from '../base/errors.ts'
import { createBreaker } from './breaker.ts'
import { createLatencies, type Latencies } from './latencies.ts'
import type { Origin, OriginAnswer } from './origin.ts'
import { failureRules, OriginError } from './origin-error.ts'
import { defaults, type Resilience } from './resilience.ts'

/** An origin with retries, a breaker and a bulkhead. */
export interface ProtectedOrigin extends Origin {
  /** The durations of its recent successful calls. */
  readonly latencies: Latencies
}

/** The longest pause before the first retry, in ms. The limit doubles with each further retry. */
const firstPause = 40

export interface ProtectOptions {
  /** Returns a random number from 0 to 1. */
  random?: () => number
  /** Returns the time in ms, from a monotonic clock. */
  now?: () => number
}

/**
 * Returns an origin with retries, a breaker and a bulkhead. The caller's signal is the deadline: the retries end when it is aborted.
 * The circuit and the bulkhead are cockatiel's. The rule that opens the circuit is our own, because cockatiel's rules count either a run
 * of failures or a rate, not both. The retry loop is our own, because cockatiel's does not know the deadline and would wait past it.
 */
export function protect (origin: Origin, provider: Provider, { retries = defaults.retries, breaker, bulkhead: most = defaults.bulkhead }: Resilience, { random = Math.random, now = () => performance.now() }: ProtectOptions = {}): ProtectedOrigin {
  const circuit = circuitBreaker(handleWhen(isCounted), {
    breaker: createBreaker({ failures: breaker?.failures ?? defaults.breaker.failures, now }),
    halfOpenAfter: steadyPause(breaker?.probeInterval ?? defaults.breaker.probeInterval)
  })
  const policy = wrap(circuit, bulkhead(most))
  const latencies = createLatencies()

  /** Calls the origin. It returns an `invalid-answer` error instead of throwing it: the provider is up, so the circuit counts a success. */
  async function call (...[request, signal]: Parameters<Origin['recommend']>): Promise<OriginAnswer | OriginError> {
    const started = now()
    try {
      const answer = await origin.recommend(request, signal)
      latencies.add(now() - started)
      return answer
    } catch (error) {
      if (error instanceof OriginError && error.failure === 'invalid-answer') return error
      throw error
    }
  }

  async function attempt (...[request, signal]: Parameters<Origin['recommend']>): Promise<OriginAnswer> {
    // While the circuit is half open, cockatiel would make every call wait for the probe.
    if (circuit.state === CircuitState.HalfOpen) throw new OriginError(provider, 'circuit-open')
    let outcome: OriginAnswer | OriginError
    try {
      outcome = await policy.execute(async () => call(request, signal))
    } catch (error) {
      throw toOriginError(provider, error, signal)
    }
    if (outcome instanceof OriginError) throw outcome
    return outcome
  }

  return {
    latencies,
    async recommend (request, signal) {
      let first: OriginError | undefined
      for (let retry = 0; ; retry++) {
        try {
          return await attempt(request, signal)
        } catch (error) {
          const { failure } = error as OriginError
          // The first failure says more than an open breaker, a full bulkhead or the end of the time at a retry.
          if (first !== undefined && (failure === 'circuit-open' || failure === 'overloaded' || signal.aborted)) throw first
          first ??= error as OriginError
          if (retry >= retries || !failureRules[failure].retried || signal.aborted) throw error
          try {
            await sleep(random() * firstPause * 2 ** retry, undefined, { signal, ref: false })
          } catch {
            throw error
          }
        }
      }
    }
  }
}

function isCounted (error: Error): boolean {
  return !(error instanceof OriginError) ? !(error instanceof BulkheadRejectedError) : failureRules[error.failure].counted
}

function toOriginError (provider: Provider, error: unknown, signal: AbortSignal): OriginError {
  if (error instanceof OriginError) return error
  if (error instanceof BrokenCircuitError) return new OriginError(provider, 'circuit-open', { cause: error })
  if (error instanceof BulkheadRejectedError) return new OriginError(provider, 'overloaded', { cause: error })
  return new OriginError(provider, signal.aborted ? 'timeout' : 'unavailable', { cause: error })
}
