import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import t from 'tap'
import { start } from './start.ts'

const { aws, config } = await start(t)
const client = new SecretsManagerClient(config)
t.teardown(() => client.destroy())

t.test('tells a secret by its name and by its ARN', async t => {
  aws.secrets.put('gateway/keys', 'one')
  const secret = await client.send(new GetSecretValueCommand({ SecretId: 'gateway/keys' }))
  t.match(secret, { Name: 'gateway/keys', SecretString: 'one', VersionStages: ['AWSCURRENT'], CreatedDate: Date })
  aws.secrets.put('gateway/keys', 'two')
  const changed = await client.send(new GetSecretValueCommand({ SecretId: secret.ARN }))
  t.equal(changed.SecretString, 'two')
  t.not(changed.VersionId, secret.VersionId)
  await t.rejects(client.send(new GetSecretValueCommand({ SecretId: 'gateway/keys', VersionId: secret.VersionId })), { name: 'ResourceNotFoundException' })
})

t.test('knows no other', async t => {
  await t.rejects(client.send(new GetSecretValueCommand({ SecretId: 'other' })), { name: 'ResourceNotFoundException', $metadata: { httpStatusCode: 400 } })
})
