import { extensionOf, isRecordsFile, withoutGzip } from '../../records/formats.ts'

const uuid = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/i

/** The names that programs give to the parts of one run, and the replacement that makes these names equal. */
const partNames: ReadonlyArray<readonly [RegExp, string]> = [
  // Spark, Hadoop, Flink: part-00000-{id}.c000, part-r-00000, part-{id}-0
  [/^(part-(?:[mr]-)?)\d+(?![0-9a-z])/i, '$1*'],
  [new RegExp(`^(part-${uuid.source}-)\\d+$`, 'i'), '$1*'],
  // Glue: run-1700000000000-part-r-00000, run-{node}-part-block-0-r-00000-snappy
  [/^(run-.*-part-.*?)\d+(-[a-z]+)?$/i, '$1*'],
  // Redshift: {prefix}0000_part_00
  [/\d{4}_part_\d+$/i, '*'],
  // Athena: 20261128_021402_00012_abcde_{id of the file}
  [/^(\d{8}_\d{6}_\d{5}_[a-z0-9]{5})_.*$/i, '$1_*'],
  // BigQuery, Snowflake, Hive, Beam, and what people write
  [/0\d{11}$/, '*'],
  [/\d+_\d+_\d+$/, '*'],
  [/^\d{6}_\d+(_copy_\d+)?$/, '*'],
  [/\d+-of-\d+$/i, '*'],
  [/([-_.]part[-_.]?)\d+$/i, '$1*']
]

const numbered = /^(.*\D|)(\d{1,6})$/

/** Folders in which people keep what they do not use any more. */
const oldFolder = /^(archived?|backups?|old)$/i

/** Names without an extension that are no catalogs. */
const noCatalog = /^(readme|license|notice|changelog|success|done|ready|complete)$/i

const manifest = /(^|[-_.])manifest([-_.]|$)/i

/** A partition by time, or by another mark of a version. */
const byTime = /^(dt|ds|date|day|hour|month|year|time|snapshot|version|run)[^=]*=/i

/** Returns the name of an object without its folders, its format and its compression. */
function stemOf (key: string): string {
  const name = withoutGzip(key.slice(key.lastIndexOf('/') + 1)).plain
  const extension = extensionOf(name)
  return extension === '' ? name : name.slice(0, -extension.length - 1)
}

/**
 * Returns why an object is no part of a catalog; undefined if it may be one.
 * @param path the key of the object below the prefix of the namespace
 */
export function whyNoCatalog (path: string, size: number): string | undefined {
  const folders = path.split('/')
  const name = folders.pop()!
  if (name === '' || path.endsWith('_$folder$')) return 'a folder'
  if (isManifest(path)) return 'a manifest'
  if ([...folders, name].some(segment => /^[_.]/.test(segment))) return 'a marker: a name that begins with "_" or "."'
  if (folders.some(folder => oldFolder.test(folder))) return 'in a folder for old catalogs'
  if (!isRecordsFile(name)) return 'its name ends like no format that the gateway reads'
  if (extensionOf(name) === '' && (size === 0 || noCatalog.test(name))) return 'a marker'
  return undefined
}

/** Returns whether an object lists the parts of a run. */
export function isManifest (path: string): boolean {
  return manifest.test(stemOf(path)) || /\.(manifest|metadata)$/i.test(path)
}

/** Returns whether an object tells that a run is complete: Spark writes `_SUCCESS` last, and Redshift its manifest. */
export function isCompletion (path: string): boolean {
  return /(^|\/)_?success$/i.test(path) || isManifest(path)
}

export interface PartName {
  /** Equal for the parts of one run. */
  run: string
  /** The number, if only numbers from zero on tell that the object is a part. */
  number?: number
}

/** Returns the run of which an object is a part; undefined if its name is not that of a part. */
export function partName (path: string): PartName | undefined {
  const folder = folderOf(path)
  const stem = stemOf(path).replace(/[-.]c\d+$/, '')
  const [pattern, to = ''] = partNames.find(([pattern]) => pattern.test(stem)) ?? []
  if (pattern !== undefined) return { run: `${uuid.test(stem) ? withoutPartitions(folder, true) : withoutPartitions(folder, false)}/${stem.replace(pattern, to)}` }
  const [, before, number] = numbered.exec(stem) ?? []
  return number === undefined ? undefined : { run: `${folder}/${before}*`, number: Number(number) }
}

/** Returns the folder whose objects are one catalog; an empty string right below the prefix. */
export function folderOf (path: string): string {
  return withoutPartitions(path.slice(0, Math.max(0, path.lastIndexOf('/'))), false)
}

/**
 * Returns a folder without the partitions (`category=books`) at its end, over which programs spread the parts of one run. A partition by
 * time is a catalog of its own, unless the names tell the run.
 */
function withoutPartitions (folder: string, all: boolean): string {
  const folders = folder === '' ? [] : folder.split('/')
  const last = folders.findLastIndex(name => !/^[^=]+=/.test(name) || (!all && byTime.test(name)))
  return folders.slice(0, last + 1).join('/')
}
