import { readFile } from 'node:fs/promises'
import { cachePolicyOf } from '../config/cdn-policy.ts'
import { parseConfig } from '../config/parse.ts'

/** Prints the CloudFront cache policy of a document. */
export async function printCdnPolicy (file: string, { name }: { name: string }): Promise<void> {
  console.log(JSON.stringify(cachePolicyOf(parseConfig(await readFile(file, 'utf8'), file), name), null, 2))
}
