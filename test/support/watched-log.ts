import type { FastifyInstance } from 'fastify'
import { pino, type Logger } from 'pino'
import type { Test } from 'tap'

export interface WatchedLog {
  /** Logs everything. */
  logger: Logger
  /** Returns the log so far. */
  text: () => string
  /** Collects the credentials of all requests, and asserts at the end of the test that no line of the log holds any of them. */
  watch: (t: Test, app: FastifyInstance) => void
}

/** Shorter texts, such as "key", are in the log for other reasons. */
const shortest = 8

/** Opens a log at `trace` that must not hold what callers identify themselves with. */
export function watchedLog (): WatchedLog {
  const lines: string[] = []
  const secrets = new Set<string>()
  const text = (): string => lines.join('')

  function note (secret: unknown): void {
    if (typeof secret === 'string' && secret.length >= shortest) secrets.add(secret)
  }

  return {
    logger: pino({ level: 'trace' }, { write (line: string) { lines.push(line) } }),
    text,
    watch (t, app) {
      // Refused requests come here as well.
      app.addHook('onResponse', ({ headers, principal }, _reply, done) => {
        const { authorization, cookie, 'x-api-key': key } = headers
        note(key)
        note(cookie)
        // Of a key and of a token each part is a secret by itself.
        for (const part of `${String(key ?? '')}_${(authorization ?? '').replace(/^Bearer /, '')}`.split(/[_.]/)) note(part)
        note(principal?.user)
        note(principal?.id)
        done()
      })
      t.teardown(() => {
        const log = text()
        const found = [...secrets].filter(secret => log.includes(secret))
        if (found.length > 0) throw new Error(`the log holds credentials: ${found.join(', ')}`)
      })
    }
  }
}
