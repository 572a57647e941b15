import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import type { Test } from 'tap'
import type { StagingOptions } from '../../plugins/staging.ts'
import { buildApp } from '../../src/app.ts'
import { eventually } from './eventually.ts'
import { startHttpRecommender } from './http-recommender.ts'
import { memorySource, type MemorySource } from './memory-source.ts'
import { ask, shopDocument } from './shop.ts'
import { testBucketPlace } from './test-bucket.ts'

export interface StagedShop {
  app: FastifyInstance
  source: MemorySource
  /** The lines that it has logged. */
  log: Array<Record<string, unknown>>
  /** The items of an answer by id, with their metadata. */
  items: () => Promise<Record<string, unknown>>
  /** Resolves once the answer's items are these. */
  shows: (items: Record<string, unknown>) => Promise<void>
  /** Resolves with the first line that says this. */
  logged: (message: string) => Promise<Record<string, unknown>>
  /** The value of a metric, with its labels as they are written. */
  metric: (name: string) => Promise<number | undefined>
}

/** A document with one namespace, `shop`, whose recommender answers a, b and c. */
export async function stagedDocument (t: Test, inferenceItemMetadata: object = { type: 'localdb' }): Promise<object> {
  const recommender = await startHttpRecommender(t)
  recommender.answer(() => ({ body: { itemList: ['a', 'b', 'c'].map(itemId => ({ itemId })) } }))
  return shopDocument({ 'recommend-items': { home: { variations: { v: { type: 'http', url: `${recommender.url}/{userId}` } } } } }, { inferenceItemMetadata })
}

/** A folder for a gateway's files; it goes with the test. */
export function dataFolder (t: Test): string {
  const dataDir = mkdtempSync(join(tmpdir(), 'gateway-staging-'))
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  return dataDir
}

/** A gateway that looks into the test bucket all the time; it ends with the test. */
export async function startStagedShop (t: Test, document: object, dataDir: string, staging: Partial<StagingOptions> = {}): Promise<StagedShop> {
  const log: StagedShop['log'] = []
  const logger = pino({ level: 'info' }, { write: (line: string) => { log.push(JSON.parse(line) as Record<string, unknown>) } })
  const source = memorySource(document)
  const app = await buildApp({ source, dataDir, logger, accessLog: 'errors', staging: { bucket: testBucketPlace, poll: 20, inProcess: true, ...staging } })
  t.teardown(async () => app.close())
  await app.ready()
  await app.config.loaded
  const items = async (): Promise<Record<string, unknown>> => {
    const { body } = await ask(app, '/recommend-items/shop/home/nobody')
    return Object.fromEntries(((body['itemList'] ?? []) as Array<{ itemId: string, metadata?: unknown }>).map(({ itemId, metadata }) => [itemId, metadata]))
  }
  return {
    app,
    source,
    log,
    items,
    shows: async wanted => {
      const text = JSON.stringify(wanted)
      await eventually(`the answer shows ${text}`, async () => JSON.stringify(await items()) === text, 40_000)
    },
    async logged (message) {
      const find = (): Record<string, unknown> | undefined => log.find(({ msg }) => String(msg).includes(message))
      await eventually(`the log says "${message}"`, () => find() !== undefined, 40_000)
      return find()!
    },
    async metric (name) {
      const { body } = await app.inject('/metrics')
      const value = body.split('\n').find(line => line.startsWith(`${name} `))?.split(' ').at(-1)
      return value === undefined ? undefined : Number(value)
    }
  }
}
