import { bulkhead, BrokenCircuitError, BulkheadRejectedError, circuitBreaker, CircuitState, handleWhen, wrap } from 'cockatiel'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Provider } from '../base/errors.ts'
import { createBreaker } from './breaker.ts'
import { createLatencies, type Latencies } from './latencies.ts'
import type { Origin, OriginAnswer } from './origin.ts'
import { failureRules, OriginError } from './origin-error.ts'
import { defaults, type Resilience } from './resilience.ts'

/** An origin that can be asked without fear. */
export interface ProtectedOrigin extends Origin {
  /** How long its recent answers took. */
  readonly latencies: Latencies
}

/** A first retry waits up to this long, each further one up to twice as long, in ms. */
const firstPause = 40

export interface ProtectOptions {
  /** 0 to 1. */
  random?: () => number
  /** In ms, on a clock that never goes back. */
  now?: () => number
}

/**
 * Puts retries, a breaker and a bulkhead around an origin. The deadline is the caller's signal: retries end with it.
 * The circuit and the bulkhead are cockatiel's. When the circuit opens, our own rule says: cockatiel's count a run of failures or a
 * rate, not both. The retry is ours, a loop: cockatiel's knows no deadline, and would wait past it.
 */
export function protect (origin: Origin, provider: Provider, { retries = defaults.retries, breaker, bulkhead: most = defaults.bulkhead }: Resilience, { random = Math.random, now = () => performance.now() }: ProtectOptions = {}): ProtectedOrigin {
  const circuit = circuitBreaker(handleWhen(isCounted), {
    breaker: createBreaker({ failures: breaker?.failures ?? defaults.breaker.failures, now }),
    halfOpenAfter: breaker?.probeInterval ?? defaults.breaker.probeInterval
  })
  const policy = wrap(circuit, bulkhead(most))
  const latencies = createLatencies()

  /** An answer that cannot be used is returned and not thrown: the provider is there, so that the circuit takes it for a success. */
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
    // Cockatiel would have everybody wait for the probe.
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
          // That the breaker opened on it, or the deadline came, says less than what went wrong before.
          if (first !== undefined && (failure === 'circuit-open' || failure === 'overloaded')) throw first
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
