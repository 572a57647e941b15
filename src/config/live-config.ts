import { type Resources } from '../scope.ts'
import { compile, type CompiledPlan } from './compile.ts'
import { ConfigError, parseConfig } from './parse.ts'
import { type Plan } from './plan.ts'
import { type ConfigSource } from './source.ts'
import { type ConfigStatus } from './status.ts'

export interface LiveConfig {
  /** What serves now. Read it once per request. */
  readonly plan: Plan
  readonly status: ConfigStatus
  close: () => void
}

export interface LiveConfigEvents {
  onLoaded: (plan: Plan) => void
  /** A new document was refused; the one before goes on serving. */
  onRefused: (error: unknown) => void
}

/**
 * Loads the document, and again whenever its source changes. A document is validated and compiled whole before it takes over.
 * @throws ConfigError, or what could not be opened, where the first document cannot be used
 */
export async function openLiveConfig (source: ConfigSource, resources: Resources, events: LiveConfigEvents): Promise<LiveConfig> {
  let text = await readText(source)
  let current = await load(text, 1)
  const time = (): string => new Date(resources.now()).toISOString()
  const status: ConfigStatus = { source: source.name, ...versionOf(current.plan), loadedAt: time(), reloads: { succeeded: 0, failed: 0 } }
  events.onLoaded(current.plan)

  async function load (document: string, generation: number): Promise<CompiledPlan> {
    return compile(parseConfig(document, source.name), generation, resources)
  }

  async function reload (): Promise<void> {
    try {
      const changed = await readText(source)
      if (changed === text && status.error === undefined) return
      const next = changed === text ? current : await load(changed, current.plan.generation + 1)
      text = changed
      if (next !== current) current.release()
      current = next
      delete status.error
      delete status.version
      Object.assign(status, { ...versionOf(next.plan), loadedAt: time() })
      status.reloads.succeeded++
      events.onLoaded(next.plan)
    } catch (error) {
      status.reloads.failed++
      status.error = { at: time(), message: (error as Error).message }
      events.onRefused(error)
    }
  }

  // One reload at a time, in the order of the changes.
  let reloading = Promise.resolve()
  const stop = source.watch(() => { reloading = reloading.then(reload) })

  return {
    get plan () { return current.plan },
    status,
    close () {
      stop()
      current.release()
    }
  }
}

function versionOf ({ version }: Plan): { version?: string } {
  return version === undefined ? {} : { version }
}

async function readText (source: ConfigSource): Promise<string> {
  try {
    return await source.read()
  } catch (cause) {
    throw new ConfigError(source.name, [{ pointer: '', message: `cannot be read: ${(cause as Error).message}` }], { cause })
  }
}
