import Type from 'typebox'
import { strict } from '../../base/schema.ts'
import type { Scope } from '../../connections/scope.ts'
import { itemMetadataType } from '../store-type.ts'
import { localDbDirectory } from './files.ts'
import type { LocalDb } from './open.ts'
import { localDbSink } from './put.ts'

const LocalDbSchema = strict({
  type: Type.Literal('localdb'),
  syncInterval: Type.Optional(Type.Integer({ minimum: 5, maximum: 3600 })),
  shrink: Type.Optional(Type.Boolean())
})

/** Items in LMDB on this machine's disk, memory-mapped. The store follows an import by any process within a second. */
export const localdb = itemMetadataType({
  type: 'localdb',
  schema: LocalDbSchema,
  open: async (_config, scope) => localDbOf(scope),
  openSink: async (_config, scope) => localDbSink(await localDbOf(scope)),
  async load ({ shrink }, catalog, place) {
    const { loadLocalDb } = await import('./load.ts')
    return loadLocalDb(catalog, { shrink, ...place })
  }
})

/** Opens the namespace's items once; all callers share them. */
async function localDbOf (scope: Scope): Promise<LocalDb> {
  const { openLocalDb } = await import('./open.ts')
  const directory = localDbDirectory(scope.dataDir, scope.namespace)
  const name = `items/${scope.namespace}`
  const onRevision = (revision: string): void => { scope.revisions.set(name, revision) }
  const open = async (): Promise<LocalDb> => openLocalDb(directory, { ...scope, topic: name, onRevision })
  return scope.share(`localdb/${scope.namespace}`, open, async store => store.close())
}
