import { appendFile } from 'node:fs/promises'
import { createKey } from '../security/api-keys.ts'
import type { Scope } from '../security/access.ts'

export interface NewKeyOptions {
  scope: Scope[]
  namespace: string[]
  description?: string
  file?: string
}

/** Makes an API key. Its record goes to the end of a file, or is printed below the key, which is shown only this once. */
export async function newKey ({ scope, namespace, description, file }: NewKeyOptions): Promise<void> {
  const { key, record } = createKey({
    scopes: [...new Set(scope)],
    ...(namespace.length === 0 ? {} : { namespaces: [...new Set(namespace)] }),
    ...(description === undefined ? {} : { description })
  })
  const line = JSON.stringify(record)
  if (file !== undefined) await appendFile(file, `${line}\n`, { mode: 0o600 })
  console.log(key)
  if (file === undefined) console.log(line)
}
