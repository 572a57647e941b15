import { originTypes } from '../origins/registry.ts'
import { inherited, type Document } from './document.ts'
import { recommendersOf, variationsOf } from './elements.ts'
import { experimentWarnings, type ExperimentSettings } from './experiment-warnings.ts'
import { ineffective } from './ineffective.ts'
import type { ItemTables } from '../metadata/dynamodb/item-table.ts'
import { regionWarnings } from './region-warnings.ts'
import { tableNameWarnings } from './table-name-warnings.ts'
import { warningsOf } from './warnings.ts'

/** The most warnings of a document; it may have thousands. */
const most = 100

/** The process settings that decide about warnings. */
interface WarningSettings extends ExperimentSettings {
  /** The names of the tables of items; absent: the defaults. */
  itemTables?: ItemTables | undefined
}

/** Returns one line for each part of a valid document that is allowed but has no effect under the settings, or is probably a mistake. */
export async function allWarningsOf (document: Document, settings: WarningSettings = {}): Promise<string[]> {
  const findings = [...tableNameWarnings(document, settings.itemTables), ...ineffective(document), ...experimentWarnings(document, settings), ...await providerWarnings(document)]
  const warnings = [...warningsOf(document), ...findings.map(lineOf), ...await regionWarnings(document)]
  return warnings.length > most ? [...warnings.slice(0, most), `and ${warnings.length - most} more`] : warnings
}

function lineOf ({ pointer, message }: { pointer: string, message: string }): string {
  return `${pointer || '(document)'}: ${message}`
}

/** Returns the warnings of the providers of the variations. */
async function providerWarnings (document: Document): Promise<Array<{ pointer: string, message: string }>> {
  const found: Array<{ pointer: string, message: string }> = []
  for (const recommender of recommendersOf(document)) {
    const { action, namespace, name } = recommender
    for (const { pointer, value } of variationsOf(recommender)) {
      const own = Object.fromEntries(Object.entries(value).filter(([key]) => !(key in inherited)))
      const warnings = await originTypes.get(value.type)?.warn?.(own, { action, namespace, recommender: name }) ?? []
      found.push(...warnings.map(({ key, message }) => ({ pointer: `${pointer}/${key}`, message })))
    }
  }
  return found
}
