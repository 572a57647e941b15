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
  /** The lines that the gateway has logged. */
  log: Array<Record<string, unknown>>
  /** Returns the metadata of an answer's items, by id. */
  items: () => Promise<Record<string, unknown>>
  /** Resolves once an answer has these items. */
  shows: (items: Record<string, unknown>) => Promise<void>
  /** Resolves with the first line of the log whose message contains the text. */
  logged: (message: string) => Promise<Record<string, unknown>>
  /** Returns the value of a metric. @param name with labels, as in the metrics' text */
  metric: (name: string) => Promise<number | undefined>
}

/** Returns a document with one namespace, `shop`, whose recommender answers a, b and c. */
export async function stagedDocument (t: Test, inferenceItemMetadata: object = { type: 'localdb' }): Promise<object> {
  const recommender = await startHttpRecommender(t)
  recommender.answer(() => ({ body: { itemList: ['a', 'b', 'c'].map(itemId => ({ itemId })) } }))
  return shopDocument({ 'recommend-items': { home: { variations: { v: { type: 'http', url: `${recommender.url}/{userId}` } } } } }, { inferenceItemMetadata })
}

/** Creates a folder for a gateway's files. The end of the test removes it. */
export function dataFolder (t: Test): string {
  const dataDir = mkdtempSync(join(tmpdir(), 'gateway-staging-'))
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  return dataDir
}

/** Starts a gateway that polls the test bucket every 20 ms. It ends with the test. */
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
