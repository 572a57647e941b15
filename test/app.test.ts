import { createRequire } from 'node:module'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { buildApp, type AppOptions } from '../src/app.ts'
import { sampleConfigFile } from '../src/base/packaged-file.ts'
import { fileSource } from '../src/config/file-source.ts'
import { memorySource } from './support/memory-source.ts'

const { cache } = createRequire(import.meta.url)

/** Packages that only some configurations need. All are CommonJS: Node.js keeps them in this cache however they are imported. */
const needed = {
  'personalize-recommender': '@aws-sdk/client-personalize-runtime',
  sagemaker: '@aws-sdk/client-sagemaker-runtime',
  lambda: '@aws-sdk/client-lambda',
  http: 'undici',
  mapping: 'jsonata',
  dynamodb: '@aws-sdk/client-dynamodb',
  'kinesis-stream': '@aws-sdk/client-kinesis',
  'kinesis-firehose': '@aws-sdk/client-firehose',
  'personalize-event-tracker': '@aws-sdk/client-personalize-events',
  'any of AWS': '@smithy/node-http-handler',
  redis: 'ioredis'
}

const isLoaded = (name: string): boolean => Object.keys(cache).some(file => file.includes(`/node_modules/${name}/`))
const loaded = (): string[] => Object.values(needed).filter(isLoaded)

async function load (t: Test, options: Pick<AppOptions, 'source' | 'redisUrl'>): Promise<void> {
  const app = await buildApp({ dataDir: t.testdir(), logger: pino({ level: 'silent' }), ...options })
  t.teardown(async () => app.close())
  await app.ready()
  await app.config.loaded
}

const arn = 'arn:aws:personalize:eu-west-1:123456789012:recommender/home'
const variations = {
  one: { type: 'personalize-recommender', arn },
  two: { type: 'sagemaker', endpointName: 'model', request: '{ "user": userId }' },
  three: { type: 'lambda', arn: 'arn:aws:lambda:eu-west-1:123456789012:function:recommend' },
  four: { type: 'http', url: 'http://localhost:1/{userId}' }
}
const eventTargets = [
  { type: 'kinesis-stream', streamName: 'events' },
  { type: 'kinesis-firehose', streamName: 'events' },
  { type: 'personalize-event-tracker', trackingId: 'tracker' },
  { type: 'redis-stream', stream: 'events' }
]
const shop = { inferenceItemMetadata: { type: 'dynamodb' }, recommenders: { 'recommend-items': { home: { variations } } }, eventTargets }

t.test('the sample store loads nothing of what other providers, targets and stores need', async t => {
  await load(t, { source: fileSource(sampleConfigFile) })
  t.strictSame(loaded(), [])
})

t.test('a configuration that names them has them loaded when it is, and not with the first request', async t => {
  process.env['AWS_REGION'] ??= 'eu-west-1'
  await load(t, { source: memorySource({ namespaces: { shop } }), redisUrl: 'redis://127.0.0.1:1' })
  t.strictSame(loaded(), Object.values(needed))
})
