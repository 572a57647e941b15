/** Takes the time of the stages of a request. */
export interface Stopwatch {
  time: <T>(stage: string, task: () => Promise<T>) => Promise<T>
  /** The stages that took any time, as the `Server-Timing` header has them, in ms. */
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
