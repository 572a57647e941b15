import { type ItemMetadataStore } from '../../src/metadata/store.ts'
import { createPool, type Pool } from '../../src/pool.ts'
import { type Recommender } from '../../src/recommender/recommender.ts'
import { type Resources } from '../../src/scope.ts'

export interface TestResources extends Resources {
  /** Leases given out and not released yet. */
  readonly held: number
  close: () => Promise<void>
}

/** What configurations share, with its leases counted. */
export function testResources (dataDir: string, options: Partial<Pick<Resources, 'now' | 'onError'>> = {}): TestResources {
  let held = 0
  function counted<T> (pool: Pool<T>): Pool<T> {
    return {
      close: pool.close,
      async acquire (key, open) {
        const lease = await pool.acquire(key, open)
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
    }
  }
  const recommenders = counted(createPool<Recommender>(async recommender => recommender.close()))
  const itemMetadata = counted(createPool<ItemMetadataStore>(async store => store.close()))
  return {
    dataDir,
    now: Date.now,
    onError: error => { throw error },
    ...options,
    recommenders,
    itemMetadata,
    get held () { return held },
    async close () {
      await recommenders.close()
      await itemMetadata.close()
    }
  }
}
