import { environmentRegion } from '../connections/aws-region.ts'
import { itemMetadataTypes } from '../metadata/registry.ts'
import { lacksRegion } from '../origins/lambda.ts'
import { originTypes } from '../origins/registry.ts'
import { eventTargetTypes } from '../targets/registry.ts'
import type { Kind, Registry } from '../base/schema.ts'
import type { Document, Tagged } from './document.ts'
import { eventTargetsOf, levelsOf, namespacesOf, recommendersOf, variationsOf, type Element } from './elements.ts'

/** The most places that the warning names. */
const mostNamed = 3

/** Returns a warning if parts of a valid document need the AWS region of the environment, and it has none. */
export async function regionWarnings (document: Document): Promise<string[]> {
  const places = placesWithoutRegion(document)
  if (places.length === 0 || await environmentRegion() !== undefined) return []
  const more = places.length - mostNamed
  return [`no AWS region: each call of ${places.slice(0, mostNamed).join(', ')}${more > 0 ? ` and ${more} more` : ''} will fail; set AWS_REGION`]
}

/** Returns the pointers of the parts that name no region and need one. */
function placesWithoutRegion (document: Document): string[] {
  const recommenders = recommendersOf(document)
  const stores = levelsOf(document).flatMap(({ pointer, value }) => {
    const { inferenceItemMetadata: store } = value as { inferenceItemMetadata?: Tagged }
    return store === undefined ? [] : [{ pointer: `${pointer}/inferenceItemMetadata`, value: store }]
  })
  const processors = recommenders.filter(({ value }) => value.responsePostProcessor !== undefined && lacksRegion(value.responsePostProcessor))
  return [
    ...thoseOf(originTypes, recommenders.flatMap(variationsOf)),
    ...processors.map(({ pointer }) => `${pointer}/responsePostProcessor`),
    ...thoseOf(eventTargetTypes, namespacesOf(document).flatMap(eventTargetsOf)),
    ...thoseOf(itemMetadataTypes, stores)
  ]
}

function thoseOf (kinds: Registry<Kind>, elements: Array<Element<Tagged>>): string[] {
  return elements.filter(({ value }) => kinds.get(value.type)?.needsRegion?.(value) === true).map(({ pointer }) => pointer)
}
