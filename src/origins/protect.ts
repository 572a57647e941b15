import { bulkhead, BrokenCircuitError, BulkheadRejectedError, circuitBreaker, CircuitState, ConsecutiveBreaker, handleWhen, wrap } from 'cockatiel'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Provider } from '../base/errors.ts'
import { createLatencies, type Latencies } from './latencies.ts'
import type { Origin } from './origin.ts'
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
}

/**
 * Puts retries, a breaker and a bulkhead around an origin. The deadline is the caller's signal: retries end with it.
 * Breaker and bulkhead are cockatiel's. The retry is ours, a loop: cockatiel's knows no deadline, and would wait past it.
 */
export function protect (origin: Origin, provider: Provider, { retries = defaults.retries, breaker, bulkhead: most = defaults.bulkhead }: Resilience, { random = Math.random }: ProtectOptions = {}): ProtectedOrigin {
  const circuit = circuitBreaker(handleWhen(isCounted), {
    breaker: new ConsecutiveBreaker(breaker?.failures ?? defaults.breaker.failures),
    halfOpenAfter: breaker?.probeInterval ?? defaults.breaker.probeInterval
  })
  const policy = wrap(circuit, bulkhead(most))
  const latencies = createLatencies()

  async function attempt (...[request, signal]: Parameters<Origin['recommend']>): ReturnType<Origin['recommend']> {
    // Cockatiel would have everybody wait for the probe.
    if (circuit.state === CircuitState.HalfOpen) throw new OriginError(provider, 'circuit-open')
    try {
      return await policy.execute(async () => {
        const started = performance.now()
        const answer = await origin.recommend(request, signal)
        latencies.add(performance.now() - started)
        return answer
      })
    } catch (error) {
      throw toOriginError(provider, error, signal)
    }
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
