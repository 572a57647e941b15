import { steadyNow } from '../../src/base/steady-time.ts'
import { createUserVersions } from '../../src/cache/user-versions.ts'
import { createExperimentStats } from '../../src/experiments/stats.ts'
import { createEventStats } from '../../src/targets/stats.ts'
import { createMetadataStats } from '../../src/metadata/stats.ts'
import { noPeers } from '../../src/connections/peers.ts'
import { createPool } from '../../src/connections/pool.ts'
import { createRevisions } from '../../src/connections/revisions.ts'
import { createSharedSessions } from '../../src/connections/shared-sessions.ts'
import type { Resources } from '../../src/plan/resources.ts'

export interface TestResources extends Resources {
  /** Number of leases that are not released yet. */
  readonly held: number
  close: () => Promise<void>
}

/** Creates the resources that configurations share, and counts their leases. */
export function testResources (dataDir: string, options: Partial<Pick<Resources, 'now' | 'onError'>> = {}): TestResources {
  let held = 0
  const now = options.now ?? Date.now
  const onError = options.onError ?? (error => { throw error })
  const pool = createPool({ onError })
  return {
    dataDir,
    now,
    steady: options.now ?? steadyNow,
    onError,
    userVersions: createUserVersions(),
    revisions: createRevisions(),
    sharedSessions: createSharedSessions(() => {}),
    metadataStats: createMetadataStats(),
    delivers: true,
    eventStats: createEventStats(),
    experimentStats: createExperimentStats(),
    appConfigAgentUrl: 'http://127.0.0.1:9',
    peers: noPeers,
    pool: {
      close: pool.close,
      async acquire (key, open, close, options) {
        const lease = await pool.acquire(key, open, close, options)
        held++
        let released = false
        return {
          value: lease.value,
          release () {
            if (!released) held--
            released = true
            lease.release()
          }
        }
      }
    },
    get held () { return held },
    close: async () => pool.close()
  }
}
