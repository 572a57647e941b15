import { join } from 'node:path'
import type { Scope } from '../connections/scope.ts'
import { openEventLog } from './event-log.ts'
import { createRecommender, type Recommender } from './recommender.ts'

/** Returns the directory of a namespace's event log. */
export function eventLogDirectory (dataDir: string, namespace: string): string {
  return join(dataDir, 'events', namespace)
}

/** Opens the embedded recommender of the scope's namespace. All of its variations and event targets share it. */
export async function recommenderOf (scope: Scope): Promise<Recommender> {
  const { namespace, dataDir, now, onError, peers, revisions, sharedSessions, userVersions } = scope
  const open = async (): Promise<Recommender> => createRecommender(await openEventLog(eventLogDirectory(dataDir, namespace), { now, onError }), {
    now,
    onError,
    peers,
    topic: `learned/${namespace}`,
    onImported: name => { revisions.set(`events/${namespace}`, name) },
    onShared: sessionId => { sharedSessions.count(namespace, sessionId) },
    async onAffected (userIds, everywhere) {
      const users = [...userIds].map(userId => ({ namespace, userId }))
      if (everywhere) await Promise.all(users.map(async user => userVersions.raise(user)))
      else for (const user of users) userVersions.outdate(userVersions.slotOf(user))
    }
  })
  return scope.share(`recommender/${namespace}`, open, async recommender => recommender.close())
}
