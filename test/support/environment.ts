import type { Test } from 'tap'

/** Sets environment variables. The end of the test restores them. */
export function withEnvironment (t: Test, wanted: Record<string, string>): void {
  const before = Object.keys(wanted).map(name => [name, process.env[name]] as const)
  Object.assign(process.env, wanted)
  t.teardown(() => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  })
}
