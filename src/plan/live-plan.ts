import { GatewayError } from '../base/errors.ts'
import type { Resources } from './resources.ts'
import { compile, type CompiledPlan } from './compile.ts'
import { ConfigError, parseConfig } from '../config/parse.ts'
import type { Plan } from './plan.ts'
import type { ConfigSource } from '../config/source.ts'
import type { ConfigStatus } from './status.ts'

export interface LivePlan {
  /** The plan that serves now. Read it once per request. @throws GatewayError 503 until the first document is loaded */
  readonly plan: Plan
  /** The plan that serves now; undefined until the first document is loaded. */
  readonly current: Plan | undefined
  readonly status: ConfigStatus
  /** Settles with the first load. @throws ConfigError for an invalid document, or the error of opening something that it names */
  readonly loaded: Promise<void>
  close: () => Promise<void>
}

export interface LivePlanEvents {
  onLoaded: (plan: Plan) => void
  /** Receives the error if a new document was refused. The previous document goes on serving. */
  onRefused: (error: unknown) => void
}

/**
 * Loads the document, and loads it again whenever its source changes. A new document is validated and compiled as a whole before it
 * takes over. The previous one goes on serving until then, and also if the new one cannot be used.
 */
export function openLivePlan (source: ConfigSource, resources: Resources, events: LivePlanEvents): LivePlan {
  let text: string | undefined
  let current: CompiledPlan | undefined
  let closed = false
  const time = (): string => new Date(resources.now()).toISOString()
  const status: ConfigStatus = { source: source.title, reloads: { succeeded: 0, failed: 0 } }

  function withFingerprint ({ plan, digest, release }: CompiledPlan): CompiledPlan {
    return { digest, release, plan: { ...plan, fingerprint: `${digest}.${resources.revisions.digest}` } }
  }

  async function load (): Promise<void> {
    const newest = await readText(source)
    if (newest === text) {
      // The source has changed back to the document that serves.
      delete status.error
      return
    }
    const next = await compile(parseConfig(newest, source.name), (current?.plan.generation ?? 0) + 1, resources)
    current?.release()
    current = withFingerprint(next)
    text = newest
    delete status.error
    delete status.version
    Object.assign(status, { loadedAt: time(), ...(next.plan.version === undefined ? {} : { version: next.plan.version }) })
    events.onLoaded(current.plan)
  }

  async function reload (): Promise<void> {
    if (closed) return
    const serving = current
    try {
      await load()
      if (current !== serving) status.reloads.succeeded++
    } catch (error) {
      status.reloads.failed++
      status.error = { at: time(), message: error instanceof ConfigError ? error.details : 'something that the document names could not be opened; see the log' }
      events.onRefused(error)
    }
  }

  const stopFollowing = resources.revisions.onChange(() => {
    if (current !== undefined) current = withFingerprint(current)
  })

  // Reloads run one at a time, in the order of the changes. Watching begins before the first read, so that no change is missed.
  let reloading: Promise<void>
  const stop = source.watch(() => { reloading = reloading.then(reload) })
  const loaded = load()
  reloading = loaded.catch(() => {})

  return {
    get plan () {
      if (current === undefined) throw new GatewayError('Starting', 'the gateway is starting', { retryAfter: 1 })
      return current.plan
    },
    get current () { return current?.plan },
    status,
    loaded,
    async close () {
      closed = true
      stop()
      stopFollowing()
      await reloading
      current?.release()
    }
  }
}

async function readText (source: ConfigSource): Promise<string> {
  try {
    return await source.read()
  } catch (cause) {
    throw new ConfigError(source.name, [{ pointer: '', message: `cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'unknown'})` }], { cause })
  }
}
