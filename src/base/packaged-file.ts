import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/** Returns the path of a file that is part of this package, from the sources and from the build alike. */
export function packagedFile (path: string): string {
  const above = dirname(dirname(import.meta.dirname))
  return join(existsSync(join(above, 'package.json')) ? above : dirname(above), path)
}

/** The configuration of the sample store that this package brings along. */
export const sampleConfigFile = packagedFile('samples/config.json')

/** The configuration of the sample store with experiments. */
const sampleExperimentFile = packagedFile('samples/experiment.json')

/** Returns whether a file, as it is named from the current directory, is a configuration of the sample store. */
export function isSampleConfig (file: string): boolean {
  return [sampleConfigFile, sampleExperimentFile].includes(resolve(file))
}
