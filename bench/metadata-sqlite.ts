import { openCatalog } from '../src/metadata/catalog.ts'

interface Statement {
  run: (...values: string[]) => unknown
  get: (...values: string[]) => { metadata: string } | undefined
}

interface Sqlite {
  exec: (sql: string) => void
  prepare: (sql: string) => Statement
  close: () => void
}

async function load (): Promise<{ DatabaseSync: new (file: string) => Sqlite }> {
  const name = 'node:sqlite'
  return await import(name) as { DatabaseSync: new (file: string) => Sqlite }
}

export async function sqliteIsThere (): Promise<boolean> {
  return load().then(() => true, () => false)
}

/** Reads a catalog like the gateway, into a table, in one transaction without a journal: nobody reads the file before it is complete. */
export async function importSqlite (file: string, database: string): Promise<void> {
  const { DatabaseSync } = await load()
  const sqlite = new DatabaseSync(database)
  sqlite.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = NORMAL; CREATE TABLE items (id TEXT PRIMARY KEY, metadata TEXT NOT NULL) WITHOUT ROWID; BEGIN')
  const insert = sqlite.prepare('INSERT OR REPLACE INTO items VALUES (?, ?)')
  for await (const batch of (await openCatalog(file)).items()) {
    for (const { itemId, metadata } of batch) insert.run(itemId, metadata)
  }
  sqlite.exec('COMMIT')
  sqlite.close()
}

/** Opens a database that looks up items one by one, which is faster for so few than one query for all of them. */
export async function openSqlite (database: string): Promise<{ get: (ids: readonly string[]) => Map<string, string>, close: () => void }> {
  const { DatabaseSync } = await load()
  const sqlite = new DatabaseSync(database)
  sqlite.exec('PRAGMA mmap_size = 8589934592')
  const select = sqlite.prepare('SELECT metadata FROM items WHERE id = ?')
  return {
    get (ids) {
      const found = new Map<string, string>()
      for (const id of ids) {
        const row = select.get(id)
        if (row !== undefined) found.set(id, row.metadata)
      }
      return found
    },
    close: () => sqlite.close()
  }
}
