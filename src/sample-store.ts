import { openCatalog } from './metadata/catalog.ts'
import { localDbDirectory } from './metadata/localdb/files.ts'
import { loadLocalDb } from './metadata/localdb/load.ts'
import { generations } from './metadata/localdb/generations.ts'
import { importEvents } from './recommender/import-events.ts'
import { openEventLog } from './recommender/event-log.ts'
import { eventLogDirectory } from './recommender/of-namespace.ts'
import { packagedFile } from './settings.ts'

const namespace = 'sample-store'

/** Imports the sample store's catalog and events, unless an earlier start has imported them. */
export async function seedSampleStore (dataDir: string): Promise<void> {
  if (await generations(localDbDirectory(dataDir, namespace)).current() === undefined) {
    await loadLocalDb(await openCatalog(packagedFile('samples/items.jsonl')), { dataDir, namespace })
  }
  if (await isLogEmpty(dataDir)) {
    await importEvents({ dataDir, namespace, file: packagedFile('samples/events.jsonl'), now: Date.now })
  }
}

/** Returns three commands for a shell, which ask the gateway at this URL: a user's recommendations, a click, and the recommendations after the click. */
export function sampleCurls (url: string): string {
  const recommend = `curl -s '${url}/recommend-items/${namespace}/recommended-for-you/user-1?numResults=3'`
  const event = JSON.stringify({ userId: 'user-1', sessionId: 'session-1', eventList: [{ eventType: 'click', itemId: 'item-42' }] })
  const click = `curl -s '${url}/events/${namespace}' -H 'Content-Type: application/json' -d '${event}'`
  return ['', 'The sample store is open. What should user-1 see, and what after a click?', '', recommend, click, recommend, ''].join('\n')
}

async function isLogEmpty (dataDir: string): Promise<boolean> {
  const log = await openEventLog(eventLogDirectory(dataDir, namespace), { now: Date.now, onError: error => { throw error } })
  try {
    return log.count === 0
  } finally {
    await log.close()
  }
}
