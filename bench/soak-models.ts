/** Models of caches, which count the calls of the origin that a cache would make for the same requests; see bench/soak.ts. */
import { createTraffic, type Mix, type Step } from './soak-traffic.ts'

export interface Model {
  calls: number
  step: (step: Step) => void
}

/** Models the AWS sample at CloudFront: an answer is kept for ten seconds, whatever happens. No eviction, no concurrent calls. */
export function fixedTtl (users: number, ttl = 10): Model {
  const madeAt = new Float64Array(users).fill(-Infinity)
  const model: Model = {
    calls: 0,
    step ({ at, user, kind }) {
      if (kind === 'event' || at - madeAt[user]! < ttl) return
      madeAt[user] = at
      model.calls++
    }
  }
  return model
}

/** Models the gateway: an answer is kept for minutes, but only until the user's next event. Calls take no time, and nothing is evicted. */
export function untilNextEvent (users: number, ttl = 300): Model {
  const madeAt = new Float64Array(users).fill(-Infinity)
  const model: Model = {
    calls: 0,
    step ({ at, user, kind }) {
      if (kind === 'event') {
        madeAt[user] = -Infinity
      } else if (at - madeAt[user]! >= ttl) {
        // Within one more minute the stale answer is served, but this needs a call as well.
        madeAt[user] = at
        model.calls++
      }
    }
  }
  return model
}

export interface Prediction {
  reads: number
  /** The number of users with at least one read. */
  users: number
  fixed: number
  gateway: number
}

/** Returns the calls that both models make in so many seconds of a mix, without a gateway. */
export function predict (mix: Mix, seconds: number, seed: number): Prediction {
  const fixed = fixedTtl(mix.users)
  const gateway = untilNextEvent(mix.users)
  const seen = new Uint8Array(mix.users)
  let reads = 0
  let users = 0
  for (const step of createTraffic(mix, seed)) {
    if (step.at > seconds) break
    fixed.step(step)
    gateway.step(step)
    if (step.kind === 'event') continue
    reads++
    if (seen[step.user] === 0) users += seen[step.user] = 1
  }
  return { reads, users, fixed: fixed.calls, gateway: gateway.calls }
}
