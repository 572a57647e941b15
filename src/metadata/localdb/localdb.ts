import Type from 'typebox'
import { strict } from '../../base/schema.ts'
import type { Scope } from '../../connections/scope.ts'
import { itemMetadataType } from '../store-type.ts'
import { localDbDirectory } from './files.ts'
import { loadLocalDb } from './load.ts'
import { openLocalDb, type LocalDb } from './open.ts'
import { localDbSink } from './put.ts'

const LocalDbSchema = strict({
  type: Type.Literal('localdb'),
  syncInterval: Type.Optional(Type.Integer({ minimum: 5, maximum: 3600 }))
})

/** Items in LMDB on this machine's disk, memory-mapped. An import by any process takes over within a second. */
export const localdb = itemMetadataType({
  type: 'localdb',
  schema: LocalDbSchema,
  open: async (_config, scope) => localDbOf(scope),
  openSink: async (_config, scope) => localDbSink(await localDbOf(scope)),
  load: async (_config, catalog, place) => loadLocalDb(catalog, place)
})

/** The namespace's items, however many ask for them. */
async function localDbOf (scope: Scope): Promise<LocalDb> {
  const directory = localDbDirectory(scope.dataDir, scope.namespace)
  const name = `items/${scope.namespace}`
  const onRevision = (revision: string): void => { scope.revisions.set(name, revision) }
  const open = async (): Promise<LocalDb> => openLocalDb(directory, { ...scope, topic: name, onRevision })
  return scope.share(`localdb/${scope.namespace}`, open, async store => store.close())
}
