import { openAwsClient } from '../connections/aws.ts'
import type { KeySource } from './key-sources.ts'

/** The longest time that a call may take, in ms. */
const patience = 5_000

/** Returns the source of the keys in a secret of AWS Secrets Manager, which is polled every `interval` ms. */
export function secretKeys (secretId: string, interval: number): KeySource {
  return {
    name: 'API_KEYS_SECRET_ID',
    async read () {
      const { GetSecretValueCommand, SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager')
      const client = await openAwsClient(SecretsManagerClient)
      try {
        const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId: secretId }), { abortSignal: AbortSignal.timeout(patience) })
        return SecretString
      } finally {
        client.destroy()
      }
    },
    watch (onChange) {
      const timer = setInterval(onChange, interval).unref()
      return () => { clearInterval(timer) }
    }
  }
}
