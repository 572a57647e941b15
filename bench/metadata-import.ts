import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { generations } from '../src/metadata/localdb/generations.ts'
import { localDbDirectory } from '../src/metadata/localdb/files.ts'
import { packagedFile } from '../src/settings.ts'

export const namespace = 'bench'
export const originPort = 18091

export interface Imported {
  seconds: string
  'peak resident': string
  'of it its own, at most': string
  'of files, at most': string
  'on the disk': string
}

export function writeConfig (folder: string): void {
  const recommenders = { 'recommend-items': { home: { variations: { remote: { type: 'http', url: `http://127.0.0.1:${originPort}/{userId}` } } } } }
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ namespaces: { [namespace]: { inferenceItemMetadata: { type: 'localdb' }, recommenders } } }))
}

export function start (file: string, args: string[], environment: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, [packagedFile(file), ...args], { env: { PATH: process.env['PATH'], ...environment }, stdio: ['ignore', 'ignore', 'pipe'] })
}

export function startImport (folder: string, file: string): ChildProcess {
  return start('dist/src/cli.js', ['items', 'import', '--namespace', namespace, file], { DATA_DIR: folder, CONFIG_FILE: join(folder, 'config.json') })
}

export async function importInto (folder: string, file: string): Promise<Imported> {
  const measured = await watch(startImport(folder, file))
  return { ...measured, 'on the disk': mebibytes(statSync(join(await currentOf(folder), 'data.mdb')).size) }
}

export async function importIntoSqlite (file: string, database: string): Promise<Imported> {
  const measured = await watch(start('dist/bench/metadata.js', ['sqlite', file, database]))
  return { ...measured, 'on the disk': mebibytes(statSync(database).size) }
}

export async function currentOf (folder: string): Promise<string> {
  return (await generations(localDbDirectory(folder, namespace)).current())!
}

/** Measures a process to its end. Pages of a mapped file count as resident, but the system reclaims them when it needs them. */
async function watch (child: ChildProcess): Promise<Omit<Imported, 'on the disk'>> {
  const started = performance.now()
  const output = outputOf(child)
  const peaks = { VmHWM: 0, RssAnon: 0, RssFile: 0 }
  const timer = setInterval(() => {
    const status = existsSync(`/proc/${child.pid}/status`) ? readFileSync(`/proc/${child.pid}/status`, 'utf8') : ''
    for (const name of Object.keys(peaks) as Array<keyof typeof peaks>) {
      peaks[name] = Math.max(peaks[name], Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) * 1024)
    }
  }, 20)
  const [code] = await once(child, 'close') as [number | null]
  clearInterval(timer)
  if (code !== 0) throw new Error(`ended with ${code}: ${output()}`)
  return {
    seconds: ((performance.now() - started) / 1000).toFixed(1),
    'peak resident': mebibytes(peaks.VmHWM),
    'of it its own, at most': mebibytes(peaks.RssAnon),
    'of files, at most': mebibytes(peaks.RssFile)
  }
}

export function outputOf (child: ChildProcess): () => string {
  let text = ''
  child.stderr!.on('data', (chunk: Buffer) => { text += chunk.toString() })
  return () => text
}

/** Imports a catalog with a broken line. @returns a sentence about the outcome */
export async function measureBrokenImport (folder: string, file: string, line: number): Promise<string> {
  const before = listing(folder)
  const child = startImport(folder, file)
  const output = outputOf(child)
  const [code] = await once(child, 'close') as [number | null]
  const told = output().includes(`line ${line}: is not JSON`)
  return `a catalog whose line ${line} is broken: exit code ${code}, that line ${told ? 'is' : 'is NOT'} told, files ${before === listing(folder) ? 'are unchanged' : 'have CHANGED'}`
}

/** Kills an import in the middle. @returns a sentence about the outcome */
export async function measureKilledImport (folder: string, file: string, count: number): Promise<string> {
  const directory = localDbDirectory(folder, namespace)
  const before = listing(folder)
  const child = startImport(folder, file)
  const ended = once(child, 'close')
  // The import writes sorted runs of about 8,000 lines each, before it writes its tree.
  const halfDone = (): boolean => readdirSync(directory, { recursive: true }).some(name => String(name).endsWith(`run-${Math.floor(count / 16_000)}`))
  while (!halfDone() && child.exitCode === null) await sleep(5)
  child.kill('SIGKILL')
  await ended
  const left = readdirSync(directory).length
  await generations(directory).sweep()
  return `an import killed in the middle: left ${left - 2} names more, files after a sweep ${before === listing(folder) ? 'are as before' : 'have CHANGED'}`
}

/** Returns the names and sizes of a namespace's files, without the lock file, since the lock of a dead process does not hold. */
function listing (folder: string): string {
  const directory = localDbDirectory(folder, namespace)
  return readdirSync(directory, { recursive: true }).map(String).filter(name => name !== 'LOCK').sort()
    .map(name => `${name} ${statSync(join(directory, name)).size}`).join('\n')
}

function mebibytes (bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`
}
