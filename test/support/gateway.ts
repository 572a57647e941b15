import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { buildApp, type AppOptions } from '../../src/app.ts'
import { fileSource } from '../../src/config/file-source.ts'
import { watchedLog } from './watched-log.ts'

/** The configuration of a store with embedded recommenders only. */
export const storeConfig = {
  version: '7',
  title: 'Test store',
  cacheControl: {
    userSpecified: { maxAge: 10, directives: 'private' },
    syntheticUserSpecified: { maxAge: 300, directives: 'public' },
    noUserSpecified: { maxAge: 1200, directives: 'public' },
    server: { ttl: 300 }
  },
  namespaces: {
    store: {
      inferenceItemMetadata: { type: 'localdb' },
      recommenders: {
        'recommend-items': { 'for-you': { variations: { sessions: { type: 'embedded' } } } },
        'related-items': { similar: { variations: { sessions: { type: 'embedded' } } } },
        'rerank-items': { ranking: { variations: { sessions: { type: 'embedded' } } } }
      },
      eventTargets: [{ type: 'embedded' }]
    },
    mute: { recommenders: {} }
  }
}

export interface TestGateway {
  app: FastifyInstance
  dataDir: string
  configFile: string
}

/** Starts a gateway in this process, with its own data directory and configuration file. By default it takes every request, writes too. It ends with the test. */
export async function startGateway (t: Test, config: object = storeConfig, options: Partial<AppOptions> = {}): Promise<TestGateway> {
  const dataDir = t.testdir({ 'config.json': JSON.stringify(config) })
  const configFile = join(dataDir, 'config.json')
  const { logger, watch } = watchedLog()
  const app = await buildApp({ source: fileSource(configFile, 20), dataDir, logger, authentication: { openWrites: true }, ...options })
  watch(t, app)
  t.teardown(async () => app.close())
  await app.ready()
  await app.config.loaded
  return { app, dataDir, configFile }
}

/** Sends events and asserts that the gateway accepts them. */
export async function sendEvents (t: Test, app: FastifyInstance, userId: string, itemIds: string[], more: object = {}): Promise<void> {
  const eventList = itemIds.map(itemId => ({ eventType: 'view', itemId }))
  const { statusCode, body } = await app.inject({ method: 'POST', url: '/events/store', payload: { userId, sessionId: `session-${userId}`, eventList, ...more } })
  t.equal(statusCode, 200, body)
}

/** Replaces the content of a configuration file. */
export function rewrite (configFile: string, config: object | string): void {
  writeFileSync(configFile, typeof config === 'string' ? config : JSON.stringify(config))
}
