import { readFile } from 'node:fs/promises'
import { parseConfig } from '../config/parse.ts'

/** Prints that a document is valid. @throws ConfigError listing everything that is wrong with it */
export async function validateConfig (file: string): Promise<void> {
  parseConfig(await readFile(file, 'utf8'), file)
  console.log(`${file} is a valid configuration`)
}
