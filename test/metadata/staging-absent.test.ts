import { createRequire } from 'node:module'
import t from 'tap'
import { buildApp } from '../../src/app.ts'
import { pino } from 'pino'
import { memorySource } from '../support/memory-source.ts'
import { dataFolder } from '../support/staged-shop.ts'

const loaded = (): boolean => Object.keys(createRequire(import.meta.url).cache).some(file => file.includes('client-s3'))

t.test('without a bucket no client of S3 is loaded', async t => {
  const options = { source: memorySource({ namespaces: {} }), dataDir: dataFolder(t), logger: pino({ level: 'silent' }) }
  const without = await buildApp(options)
  await without.ready()
  t.notOk(loaded())
  await without.close()
  const bucketed = await buildApp({ ...options, staging: { bucket: { name: 'a-bucket' } } })
  await bucketed.ready()
  t.ok(loaded(), 'which would be seen')
  await bucketed.close()
})
