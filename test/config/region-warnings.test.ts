import { join } from 'node:path'
import t from 'tap'
import { eventually } from '../support/eventually.ts'
import { finished, run, startServer } from '../support/server-process.ts'

// The tests mostly wait for processes and timeouts of their own.
t.jobs = 2

const arn = (service: string, resource: string): string => `arn:aws:${service}:eu-west-1:123456789012:${resource}`
const cacheControl = { userSpecified: { maxAge: 10, directives: 'private' } }
const documentOf = (variation: object, more: object = {}): string => JSON.stringify({
  cacheControl,
  namespaces: { shop: { recommenders: { 'recommend-items': { home: { variations: { main: variation } } } }, ...more } }
})
const model = documentOf({ type: 'sagemaker', endpointName: 'model' })

t.test('config validate tells that the AWS region is missing, and which parts need it', async t => {
  const dir = t.testdir({
    'model.json': model,
    'all.json': documentOf({ type: 'sagemaker', endpointName: 'model' }, {
      inferenceItemMetadata: { type: 'dynamodb' },
      eventTargets: [{ type: 'kinesis-stream', streamName: 's' }, { type: 'kinesis-firehose', streamName: 's' }, { type: 'personalize-event-tracker', trackingId: 'id' }]
    }),
    'arns.json': documentOf({ type: 'lambda', arn: arn('lambda', 'function:f') }, { eventTargets: [{ type: 'embedded' }] }),
    aws: '[profile shop]\nregion = eu-west-1\n'
  })
  const warning = async (file: string, environment: Record<string, string> = {}): Promise<string | undefined> => {
    const { code, output } = await finished(run('cli.js', ['config', 'validate', join(dir, file)], { AWS_CONFIG_FILE: join(dir, 'none'), ...environment }))
    t.equal(code, 0, output)
    return /^warning: (no AWS region.*)$/m.exec(output)?.[1]
  }
  t.equal(await warning('model.json'), 'no AWS region: each call of /namespaces/shop/recommenders/recommend-items/home/variations/main will fail; set AWS_REGION')
  t.equal(await warning('all.json'), 'no AWS region: each call of /namespaces/shop/recommenders/recommend-items/home/variations/main, /namespaces/shop/eventTargets/0, /namespaces/shop/eventTargets/1 and 2 more will fail; set AWS_REGION')
  t.equal(await warning('arns.json'), undefined, 'an ARN has a region')
  t.equal(await warning('model.json', { AWS_REGION: 'eu-west-1' }), undefined)
  t.equal(await warning('model.json', { AWS_DEFAULT_REGION: 'eu-west-1' }), undefined)
  t.equal(await warning('model.json', { AWS_CONFIG_FILE: join(dir, 'aws'), AWS_PROFILE: 'shop' }), undefined)
})

t.test('a missing AWS region is told at start', async t => {
  const dir = t.testdir({ 'config.json': model })
  const { output } = await startServer(t, { CONFIG_FILE: join(dir, 'config.json'), DATA_DIR: dir, AWS_CONFIG_FILE: join(dir, 'none'), STAGING_BUCKET: 'bucket' })
  await eventually('both are logged', () => output().includes('"msg":"no AWS region: each call of /namespaces/shop') && output().includes('no AWS region: nothing can be imported'))
  const region = await startServer(t, { CONFIG_FILE: join(dir, 'config.json'), DATA_DIR: join(dir, 'other'), AWS_CONFIG_FILE: join(dir, 'none'), AWS_DEFAULT_REGION: 'eu-west-1', LOG_LEVEL: 'info' })
  await eventually('it serves', () => region.output().includes('configuration loaded'))
  t.notMatch(region.output(), 'no AWS region')
})
