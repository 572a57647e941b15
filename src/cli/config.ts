import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import { parseConfig } from '../config/parse.ts'

export function configCommand (): Command {
  const config = new Command('config').description('look after configuration documents')

  config.command('validate')
    .description('list everything that is wrong with a document; exit 1 if anything is')
    .argument('<file>')
    .action(async (file: string) => {
      parseConfig(await readFile(file, 'utf8'), file)
      console.log(`${file} is a valid configuration`)
    })

  return config
}
