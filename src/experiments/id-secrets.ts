import { randomBytes, randomUUID } from 'node:crypto'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Secrets } from './recommendation-id.ts'
import type { TallyConnection } from './tally/redis.ts'

/** The key of the secret that all instances share. */
const key = 'personalization:recommendation-id-secret'

/** The file of the secret that the processes with one data directory share. */
const fileName = 'recommendation-id-secret'

/** The pause between looks at the shared secret, in ms: short until it is known, and then long, for a Redis that has lost its data. */
const pauses = { first: 50, longest: 2_000, known: 60_000 }

/** The most earlier secrets whose ids are still accepted. */
const mostEarlier = 2

const valid = /^[\w-]{43}$/

export interface SharedSecrets {
  readonly current: () => Secrets
  /** Whether the secret is the one that all instances share. Other instances do not accept ids that were issued before. */
  readonly known: boolean
  readonly close: () => void
}

export interface SharedSecretsOptions {
  readonly redis: TallyConnection
  readonly onError: (error: unknown) => void
}

/**
 * Shares one secret through Redis: the first instance makes it, the others take it. Until Redis answers, an instance uses one of its own,
 * and goes on accepting the ids that it issued with it.
 */
export function shareSecrets ({ redis, onError }: SharedSecretsOptions): SharedSecrets {
  const own = newSecret()
  let secrets: Secrets = [own]
  let timer: NodeJS.Timeout | undefined
  let known = false
  let closed = false

  async function look (after: number = pauses.first): Promise<void> {
    let pause = after
    try {
      await redis.run(async commands => commands.set(key, secrets[0], 'NX'))
      const shared = await redis.run(async commands => commands.get(key))
      if (shared !== null && valid.test(shared) && shared !== secrets[0]) secrets = [shared, ...secrets.slice(0, mostEarlier)]
      known = true
      pause = pauses.known
    } catch (error) {
      // At the start, Redis may not be connected yet.
      if (after === pauses.longest) onError(error)
    }
    if (!closed) timer = setTimeout(() => { void look(Math.min(pauses.longest, 2 * after)) }, pause).unref()
  }

  void look()
  return {
    current: () => secrets,
    get known () { return known },
    close () {
      closed = true
      clearTimeout(timer)
    }
  }
}

/** Returns the secret of a data directory, which the first process makes; one of this process alone if the directory cannot be written. */
export async function readSecret (dataDir: string): Promise<string> {
  const path = join(dataDir, fileName)
  const known = await secretIn(path)
  if (known !== undefined) return known
  const own = newSecret()
  const draft = `${path}.${randomUUID()}`
  try {
    await writeFile(draft, own, { flag: 'wx', mode: 0o600 })
    // A link appears with its content and replaces nothing, so that workers that start together all read the secret of the first.
    await link(draft, path).catch(() => {})
    // The file is broken, or the file system has no links.
    if (await secretIn(path) === undefined) await rename(draft, path)
  } catch {
    return own
  } finally {
    await rm(draft, { force: true }).catch(() => {})
  }
  return await secretIn(path) ?? own
}

async function secretIn (path: string): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '')
  return valid.test(text) ? text : undefined
}

function newSecret (): string {
  return randomBytes(32).toString('base64url')
}
