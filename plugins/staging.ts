import fp from 'fastify-plugin'
import { Counter, Gauge } from 'prom-client'
import { environmentRegion } from '../src/connections/aws-region.ts'
import type { ItemImport } from '../src/metadata/item-import.ts'
import { passedOverLog } from '../src/metadata/staging/passed-over.ts'
import { followStaging } from '../src/metadata/staging/staging.ts'
import { loadBeside, loadHere } from '../src/metadata/staging/load.ts'
import type { BucketPlace, StagingBucket } from '../src/metadata/staging/bucket.ts'

export interface StagingOptions {
  /** The bucket that catalogs are put into. */
  bucket: BucketPlace
  /** Milliseconds between two polls of the bucket; absent: the `syncInterval` of each store. */
  poll?: number
  /** Whether to load catalogs in this process instead of a child process: for small catalogs. */
  inProcess?: boolean
  /** Milliseconds without a change after which a catalog in parts counts as whole, if nothing tells that it is; absent: 10,000. */
  settleAfter?: number
}

/** Objects that one log line names, at most. */
const mostNamed = 50

/** Returns the namespace and the store of an import, for log lines and metrics. */
const placeOf = ({ namespace, config: { type: store } }: ItemImport): { namespace: string, store: string } => ({ namespace, store })

/**
 * Opens the bucket. The S3 client takes memory, and time to load, so that only a gateway with a bucket loads it. This function stands
 * by itself, since the compiler does not rewrite the extension of an `import()` within a default export.
 */
async function open (bucket: BucketPlace): Promise<StagingBucket> {
  const { openBucket } = await import('../src/metadata/staging/bucket.ts')
  return openBucket(bucket)
}

/** Imports item metadata from a bucket, in the background, into the stores that the current configuration names. */
export default fp<StagingOptions>(async (app, { bucket: source, poll, inProcess = false, settleAfter }) => {
  const bucket = await open(source)
  if (await environmentRegion() === undefined) app.log.warn({ bucket: source.name }, 'no AWS region: nothing can be imported from the bucket; set AWS_REGION')
  const { dataDir, now, onError } = app.resources
  const registers = [app.metrics.registry]
  const imports = new Counter({ name: 'gateway_item_imports_total', help: 'Imports of item metadata from the staging bucket, by how they ended.', labelNames: ['outcome'], registers })
  for (const outcome of ['imported', 'refused', 'failed']) imports.inc({ outcome }, 0)

  const staging = followStaging({
    bucket,
    load: async (task, signal) => inProcess ? loadHere(bucket, task, signal) : loadBeside(source, task, signal),
    dataDir,
    now,
    poll,
    settleAfter,
    onPassedOver: passedOverLog((to, objects) => {
      app.log.info({ ...placeOf(to), bucket: source.name, objects: objects.slice(0, mostNamed), count: objects.length }, 'objects in the staging bucket are passed over')
    }),
    imports: () => [...app.config.current?.namespaces.values() ?? []].flatMap(({ itemImports }) => itemImports),
    onLook (to, look, ms) {
      if (look.outcome === 'idle') return
      imports.inc({ outcome: look.outcome })
      const place = { ...placeOf(to), bucket: source.name, key: look.object.key }
      if (look.outcome === 'imported') app.log.info({ ...place, items: look.count, ms: Math.round(ms) }, 'items imported')
      else app.log.error({ ...place, problem: look.problem }, 'a catalog was refused; the items before stay, and it is not tried again before it changes')
    },
    onFailed (to, error) {
      imports.inc({ outcome: 'failed' })
      app.log.warn({ ...placeOf(to), bucket: source.name, prefix: `import/${to.namespace}/`, cause: String(error) }, 'items could not be imported; the next look tries again')
    },
    onError
  })

  const lastImport = new Gauge({
    name: 'gateway_item_import_timestamp_seconds',
    help: 'When a store was last filled from the staging bucket, in seconds since 1970.',
    labelNames: ['namespace', 'store'],
    registers,
    aggregator: 'max',
    collect () {
      lastImport.reset()
      for (const { to, at } of staging.lastImports()) lastImport.set(placeOf(to), at / 1000)
    }
  })

  app.addHook('onClose', async () => {
    await staging.close()
    bucket.close()
  })
}, { name: 'staging', dependencies: ['config', 'metrics', 'resources'] })
