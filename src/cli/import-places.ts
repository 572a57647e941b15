import { readFile } from 'node:fs/promises'
import { sampleConfigFile } from '../base/packaged-file.ts'
import { UserError } from '../base/user-error.ts'
import type { Document } from '../config/document.ts'
import { eventTargetsOf, namespacesOf, recommendersOf, variationsOf } from '../config/elements.ts'
import { itemImportsOf } from '../config/item-imports.ts'
import { parseConfig } from '../config/parse.ts'

/** Returns the stores that the configuration names for a namespace's items. @throws UserError if there are none */
export async function itemStoresOf (configFile: string | undefined, namespace: string): Promise<Array<{ type: string }>> {
  const document = await read(configFile)
  refuseOthers(document, configFile, namespace, {
    suits: name => itemImportsOf(document, name).length > 0,
    lacks: 'no store that items can be imported into: expected "inferenceItemMetadata" of the type localdb or dynamodb'
  })
  return itemImportsOf(document, namespace).map(({ config }) => config)
}

/** Does nothing if a namespace has an embedded recommender, which learns from imported events. @throws UserError if it has none */
export async function refuseWithoutRecommender (configFile: string | undefined, namespace: string): Promise<void> {
  const document = await read(configFile)
  refuseOthers(document, configFile, namespace, {
    suits: name => hasEmbedded(document, name),
    lacks: 'no recommender that events can be imported into: expected a variation or an event target of the type embedded'
  })
}

async function read (configFile = sampleConfigFile): Promise<Document> {
  return parseConfig(await readFile(configFile, 'utf8'), configFile)
}

function hasEmbedded (document: Document, name: string): boolean {
  const parts = [
    ...namespacesOf(document).filter(namespace => namespace.name === name).flatMap(eventTargetsOf),
    ...recommendersOf(document).filter(({ namespace }) => namespace === name).flatMap(variationsOf)
  ]
  return parts.some(({ value }) => value.type === 'embedded')
}

/** @throws UserError that names the namespaces that suit the import, unless `namespace` is one of them */
function refuseOthers (document: Document, configFile: string | undefined, namespace: string, { suits, lacks }: { suits: (name: string) => boolean, lacks: string }): void {
  if (suits(namespace)) return
  const names = namespacesOf(document).map(({ name }) => name)
  const known = names.includes(namespace)
  const others = known ? names.filter(suits) : names
  const origin = configFile ?? 'the configuration of the sample store, which is used without CONFIG_FILE,'
  const has = others.length > 0 ? `${known ? 'the namespaces with one are' : 'it has'} ${others.join(', ')}` : known ? 'no namespace has one' : 'it has none'
  throw new UserError(`nothing was imported: ${origin} has ${known ? `for the namespace "${namespace}" ${lacks}` : `no namespace "${namespace}"`}; ${has}`)
}
