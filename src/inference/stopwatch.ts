/** Measures how long the stages of a request take. */
export interface Stopwatch {
  time: <T>(stage: string, task: () => Promise<T>) => Promise<T>
  /** Returns the stages that took 0.001 ms or more, in the format of the `Server-Timing` header, in ms. */
  toString: () => string
}

export function createStopwatch (): Stopwatch {
  const stages: string[] = []
  return {
    async time (stage, task) {
      const started = performance.now()
      try {
        return await task()
      } finally {
        const took = performance.now() - started
        if (took >= 0.001) stages.push(`${stage};dur=${took.toFixed(3)}`)
      }
    },
    toString: () => stages.join(', ')
  }
}
