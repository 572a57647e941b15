/** Keys that sign webhooks, by their names in configurations. */
export type WebhookSecrets = ReadonlyMap<string, Buffer>

/** In bytes, as Standard Webhooks requires. */
const keySize = { least: 24, most: 64 }

export const webhookSecretsFormat = `expected name=whsec_…, several with commas between them: the secret in base 64, of ${keySize.least} to ${keySize.most} bytes`

const entry = /^([a-zA-Z0-9_-]{1,128})=whsec_([A-Za-z0-9+/]+={0,2})$/

/**
 * Parses the secrets of webhooks.
 * @param text name=whsec_…,other=whsec_…; empty: none
 * @returns undefined if the text has another format. An error message must not contain the text, as it is secret.
 */
export function readWebhookSecrets (text: string): WebhookSecrets | undefined {
  const secrets = new Map<string, Buffer>()
  if (text === '') return secrets
  for (const part of text.split(',')) {
    const [, name, encoded] = entry.exec(part.trim()) ?? []
    if (name === undefined || encoded === undefined || secrets.has(name)) return undefined
    const key = Buffer.from(encoded, 'base64')
    if (key.length < keySize.least || key.length > keySize.most || key.toString('base64') !== encoded) return undefined
    secrets.set(name, key)
  }
  return secrets
}
