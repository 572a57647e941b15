import { UserError } from '../base/user-error.ts'
import { parseKeys, type ApiKey } from './api-keys.ts'

/** A place that keys come from. Configuration sources have the same form. */
export interface KeySource {
  /** For the log. */
  readonly name: string
  read: () => Promise<string>
  /** Calls back when the keys may have changed. @returns a function that ends this */
  watch: (onChange: () => void) => () => void
}

/** Returns a source of keys that never change. */
export function fixedKeys (name: string, text: string): KeySource {
  return { name, read: async () => text, watch: () => () => {} }
}

export interface FollowOptions {
  /** Receives all keys of all sources, first before this resolves, then after each change. */
  onKeys: (keys: readonly ApiKey[]) => void
  /** Receives the failure of a source. Its last good keys stay valid. */
  onError: (error: Error) => void
}

/**
 * Reads the keys of all sources, and follows their changes. Bad or empty text never replaces good keys.
 * @returns a function that ends this
 * @throws UserError if a source cannot be read at first
 */
export async function followKeys (sources: readonly KeySource[], { onKeys, onError }: FollowOptions): Promise<() => void> {
  const texts = new Map<KeySource, string>()
  const keys = new Map<KeySource, ApiKey[]>()
  for (const source of sources) await read(source)
  onKeys(all())
  const ends = sources.map(source => {
    // One read at a time, so that an older text never replaces a newer one. A change during a read causes one more.
    let reading = false
    let again = false
    const reread = async (): Promise<void> => {
      again = reading
      if (reading) return
      reading = true
      try {
        if (await read(source)) onKeys(all())
      } catch (cause) {
        onError(new Error(`the keys of ${source.name} could not be read; the keys before stay valid`, { cause }))
      } finally {
        reading = false
      }
      if (again) await reread()
    }
    return source.watch(() => { void reread() })
  })
  return () => { for (const end of ends) end() }

  /** Returns whether the keys of a source have changed. */
  async function read (source: KeySource): Promise<boolean> {
    const text = await source.read().catch((cause: unknown) => { throw new UserError(`the keys of ${source.name} could not be read`, { cause }) })
    if (text === texts.get(source)) return false
    keys.set(source, parseNamed(source, text))
    texts.set(source, text)
    return true
  }

  function all (): ApiKey[] {
    return [...keys.values()].flat()
  }
}

function parseNamed ({ name }: KeySource, text: string): ApiKey[] {
  try {
    return parseKeys(text)
  } catch (cause) {
    throw new UserError(`${name}: ${(cause as Error).message}`, { cause })
  }
}
