import { InvalidArgumentError, Option } from 'commander'
import { namePattern } from '../base/schema.ts'

export function namespaceOption (): Option {
  return new Option('--namespace <name>', 'the namespace, as the configuration calls it')
    .makeOptionMandatory()
    .argParser(name => {
      if (!new RegExp(namePattern).test(name)) throw new InvalidArgumentError('expected letters, digits, "_" and "-".')
      return name
    })
}
