import { createHash } from 'node:crypto'
import { folderOf, isCompletion, partName, whyNoCatalog } from './part-names.ts'

/** A catalog in the bucket: one object, or the parts of one. */
export interface StagedObject {
  /** Its key; of several parts, that of the first one, and how many more there are. */
  readonly key: string
  /** Its ETag, without quotes; of several parts, a digest of theirs. */
  readonly tag: string
  /** In bytes. */
  readonly size: number
  /** Time of its upload, in epoch ms; of several parts, that of the last one. */
  readonly madeAt: number
  /** The parts in the order of their uploads; absent for a single object. */
  readonly parts?: readonly StagedObject[]
  /** Whether further parts may follow: nothing in the bucket tells that all are there. */
  readonly open?: true
}

/** An object that is not imported, and the reason. */
export interface PassedOver {
  readonly key: string
  readonly reason: string
}

export interface Choice {
  newest: StagedObject | undefined
  passedOver: PassedOver[]
}

interface Group {
  parts: StagedObject[]
  open: boolean
}

/**
 * Chooses the newest catalog among the objects under a prefix. The parts of one run, and the objects of one folder below the prefix, are
 * one catalog. Right below the prefix, each other object is a catalog.
 */
export function chooseCatalog (objects: readonly StagedObject[], prefix: string): Choice {
  const passedOver: PassedOver[] = []
  const candidates: StagedObject[] = []
  const completions = new Map<string, number>()
  for (const object of objects) {
    const path = object.key.slice(prefix.length)
    const reason = whyNoCatalog(path, object.size)
    if (reason === undefined) candidates.push(object)
    else passedOver.push({ key: object.key, reason })
    if (isCompletion(path)) completions.set(folderOf(path), Math.max(object.madeAt, completions.get(folderOf(path)) ?? 0))
  }
  const groups = [...groupsOf(candidates, prefix)].map(group => toCatalog(group, completions, prefix)).sort(byAge)
  const newest = groups.pop()
  for (const { key } of groups) passedOver.push({ key, reason: `older than ${newest!.key}` })
  return { newest, passedOver }
}

function groupsOf (objects: readonly StagedObject[], prefix: string): Iterable<Group> {
  const groups = new Map<string, Group>()
  const zeros = new Set(objects.map(({ key }) => partName(key.slice(prefix.length))).filter(part => part?.number === 0).map(part => part!.run))
  for (const object of objects) {
    const path = object.key.slice(prefix.length)
    const folder = folderOf(path)
    const part = partName(path)
    // Numbers that do not begin with zero may as well be versions.
    const isPart = part !== undefined && (part.number === undefined || zeros.has(part.run))
    const name = isPart && (part.number === undefined || folder === '') ? `run ${part.run}` : folder === '' ? `object ${path}` : `folder ${folder}`
    const group = groups.get(name) ?? { parts: [], open: isPart || folder !== '' }
    group.parts.push(object)
    groups.set(name, group)
  }
  return groups.values()
}

function toCatalog ({ parts, open }: Group, completions: ReadonlyMap<string, number>, prefix: string): StagedObject {
  parts.sort(byAge)
  const last = parts.at(-1)!
  const isOpen = open && (completions.get(folderOf(last.key.slice(prefix.length))) ?? 0) < last.madeAt
  const more = isOpen ? { open: true as const } : {}
  if (parts.length === 1) return { ...last, ...more }
  const byKey = [...parts].sort((a, b) => a.key < b.key ? -1 : 1)
  const digest = createHash('sha1')
  for (const { key, tag } of byKey) digest.update(`${key}\n${tag}\n`)
  return {
    key: `${byKey[0]!.key} and ${parts.length - 1} more`,
    tag: digest.digest('hex'),
    size: parts.reduce((sum, { size }) => sum + size, 0),
    madeAt: last.madeAt,
    parts,
    ...more
  }
}

/** Compares by upload time. S3 tells seconds only: of two uploads in the same second, the last by name is newer. */
function byAge (a: StagedObject, b: StagedObject): number {
  return a.madeAt === b.madeAt ? (a.key < b.key ? -1 : 1) : a.madeAt - b.madeAt
}
