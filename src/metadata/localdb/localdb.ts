import type { Database } from 'lmdb'
import Type from 'typebox'
import { strict } from '../../schema.ts'
import { isItemId } from '../catalog.ts'
import { generations, revisionOf } from './generations.ts'
import type { ItemMetadataStore } from '../store.ts'
import { localDbDirectory, openItems } from './files.ts'
import { loadLocalDb } from './load.ts'
import { itemMetadataType } from '../store-type.ts'

const LocalDbSchema = strict({
  type: Type.Literal('localdb'),
  syncInterval: Type.Optional(Type.Integer({ minimum: 5, maximum: 3600 }))
})

/** How often to look whether a new generation was imported, in ms. */
const importPoll = 1_000

/** Items in LMDB on this machine's disk, memory-mapped. An import by any process takes over within a second. */
export const localdb = itemMetadataType({
  type: 'localdb',
  schema: LocalDbSchema,
  async open (_config, scope) {
    const directory = localDbDirectory(scope.dataDir, scope.namespace)
    return scope.share(`localdb/${scope.namespace}`, async () => openLocalDb(directory, { ...scope, onRevision: revision => { scope.revisions.set(`items/${scope.namespace}`, revision) } }), async store => store.close())
  },
  load: async (_config, catalog, place) => loadLocalDb(catalog, place)
})

export interface LocalDbOptions {
  onError: (error: unknown) => void
  /** Told the revision of the items that are served now. */
  onRevision?: (revision: string) => void
  poll?: number
}

/** Opens the current generation of a namespace's items, if there is one, and follows it as imports replace it. */
export async function openLocalDb (directory: string, { onError, onRevision = () => {}, poll = importPoll }: LocalDbOptions): Promise<ItemMetadataStore> {
  const versions = generations(directory)
  let path: string | undefined
  let items: Database<string, string> | undefined

  async function follow (): Promise<void> {
    const current = await versions.current()
    if (current === path) return
    const retired = items
    // Where the new one cannot be opened, the old one stays, and the next look tries again.
    items = current === undefined ? undefined : openItems(current)
    path = current
    onRevision(current === undefined ? '' : revisionOf(current))
    await retired?.close()
  }

  await versions.sweep()
  await follow().catch(onError)
  let following = Promise.resolve()
  const timer = setInterval(() => { following = following.then(follow).catch(onError) }, poll).unref()

  return {
    get (itemIds) {
      const found = new Map<string, string>()
      if (items === undefined) return found
      for (const itemId of itemIds) {
        // What no catalog holds may be no key at all, such as a text that is too long for one.
        const metadata = isItemId(itemId) ? items.get(itemId) : undefined
        if (metadata !== undefined) found.set(itemId, metadata)
      }
      return found
    },
    async close () {
      clearInterval(timer)
      await following
      await items?.close()
    }
  }
}
