import type { UserVersions } from '../cache/user-versions.ts'
import type { NamespacePlan } from '../plan/plan.ts'
import { causeOf, isRetryable, told } from '../delivery/shortfall.ts'
import { GatewayError } from '../base/errors.ts'
import type { Dataset, Entry, EntryKind, Missing } from '../delivery/dataset.ts'

/** Returns the datasets of a namespace for users or items. @throws GatewayError 409 if it has none */
export function datasetsOf ({ name, datasets }: NamespacePlan, kind: EntryKind): ReadonlyMap<string, Dataset> {
  if (datasets[kind].size === 0) throw new GatewayError('NoDatasets', `namespace: "${name}" has no dataset or store for ${kind} in the configuration`)
  return datasets[kind]
}

/**
 * Puts users or items into every dataset of the namespace at once. After that, cached answers for these users are out of date.
 * @returns the outcome for each dataset; every dataset has every entry
 * @throws GatewayError 400 for an entry that a dataset would never take, and 429 if the queue of a dataset is full: then no entry was sent
 *   anywhere; 409 if the namespace has no such datasets; 503 (or 502, if a retry cannot succeed) if a dataset does not have every entry
 */
export async function putEntries (namespace: NamespacePlan, kind: EntryKind, entries: readonly Entry[], { userVersions }: { userVersions: UserVersions }): Promise<Record<string, string>> {
  const datasets = datasetsOf(namespace, kind)
  for (const [name, dataset] of datasets) check(name, dataset, kind, entries)
  const missing = new Map<string, Missing>()
  await Promise.all([...datasets].map(async ([name, dataset]) => {
    const lacking = await dataset.put(entries)
    if (lacking !== undefined) missing.set(name, lacking)
  }))
  // Even if one dataset failed, another one may have the users.
  if (kind === 'users') await Promise.all(entries.map(async ({ id }) => userVersions.raise({ namespace: namespace.name, userId: id })))
  const targets = Object.fromEntries([...datasets.keys()].map(name => [name, told(missing.get(name))]))
  if (missing.size > 0) throw notWritten(kind, missing, targets)
  return targets
}

function check (name: string, dataset: Dataset, kind: EntryKind, entries: readonly Entry[]): void {
  for (const [i, entry] of entries.entries()) {
    const problem = dataset.problemOf(entry)
    if (problem !== undefined) throw new GatewayError('InvalidBody', `body/${kind}/${i}: ${problem}, says "${name}"`)
  }
  const filling = dataset.full ? undefined : entries.find(({ id }) => dataset.isFullFor(id))
  if (!dataset.full && filling === undefined) return
  const cause = filling === undefined ? 'its queue is full' : `entries with the id "${filling.id}" use their share of its queue`
  throw new GatewayError('DatasetQueueFull', `"${name}" does not take more ${kind} for now: ${cause}; nothing was sent anywhere, send the ${kind} again later`, { retryAfter: 1 })
}

function notWritten (kind: EntryKind, missing: ReadonlyMap<string, Missing>, targets: Record<string, string>): GatewayError {
  const details = { targets, missing: Object.fromEntries([...missing].map(([name, { ids }]) => [name, ids])) }
  const cause = causeOf(missing)
  if (isRetryable(missing)) {
    return new GatewayError('DatasetsNotWritten', `not every dataset has the ${kind}; send them again`, { cause, details, retryAfter: 1 })
  }
  return new GatewayError('DatasetsRefused', `a dataset does not take all of the ${kind}`, { cause, details })
}
