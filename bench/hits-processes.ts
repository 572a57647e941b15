/** The processes that a benchmark starts, each on a core that it chooses. All of them end when the benchmark ends, in every case. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Processes {
  /** A temporary folder, which is removed with the processes. */
  readonly folder: string
  /** The cores that processes are bound to; undefined if they share all cores. */
  readonly cores: { server: string, client: string } | undefined
  start: (command: string, args: string[], options?: StartOptions) => ChildProcess
  /** Runs a process to its end. @returns its standard output @throws an error with its standard error if it fails */
  run: (command: string, args: string[], options?: StartOptions) => Promise<string>
  stop: (child: ChildProcess) => Promise<void>
  /** Ends all processes and removes the folder. */
  close: () => Promise<void>
}

export interface StartOptions {
  on?: 'server' | 'client'
  env?: Record<string, string>
  /** Where its standard output goes. */
  output?: 'ignore' | 'pipe'
  /** Where its standard error goes. */
  complaints?: 'inherit' | 'pipe'
}

/** How long a process may take to end by itself, in ms. */
const patience = 3_000

export function openProcesses (name: string): Processes {
  const folder = mkdtempSync(join(tmpdir(), `gateway-${name}-`))
  const cores = findCores()
  const children = new Set<ChildProcess>()

  function start (command: string, args: string[], { on, env = {}, output = 'ignore', complaints = 'inherit' }: StartOptions = {}): ChildProcess {
    const [file, ...rest] = on === undefined || cores === undefined ? [command, ...args] : ['taskset', '-c', cores[on], command, ...args]
    const child = spawn(file, rest, { cwd: folder, env: { PATH: process.env['PATH'], ...env }, stdio: ['ignore', output, complaints] })
    children.add(child)
    child.once('exit', () => children.delete(child))
    child.once('error', () => children.delete(child))
    return child
  }

  async function run (command: string, args: string[], options: StartOptions = {}): Promise<string> {
    const child = start(command, args, { ...options, output: 'pipe', complaints: 'pipe' })
    const [output, complaints] = [textOf(child.stdout!), textOf(child.stderr!)]
    const [code] = await once(child, 'close') as [number | null]
    if (code !== 0) throw new Error(`${command} ended with ${code}: ${complaints()}`)
    return output()
  }

  async function stop (child: ChildProcess): Promise<void> {
    if (!children.has(child)) return
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), patience)
    await ended
    clearTimeout(timer)
  }

  async function close (): Promise<void> {
    await Promise.all([...children].map(stop))
    rmSync(folder, { recursive: true, force: true })
  }

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => { void close().finally(() => process.exit(1)) })
  }
  return { folder, cores, start, run, stop, close }
}

function findCores (): Processes['cores'] {
  if (!installed('taskset')) return undefined
  const allowed = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]!
  const numbers = allowed.split(',').flatMap(range => {
    const [first, last = first] = range.split('-').map(Number) as [number, number?]
    return Array.from({ length: last - first + 1 }, (_, i) => first + i)
  })
  return numbers.length < 2 ? undefined : { server: String(numbers[0]), client: String(numbers[1]) }
}

export function installed (command: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Collects the text of a stream. @returns a function that returns the text so far */
export function textOf (stream: NodeJS.ReadableStream): () => string {
  let text = ''
  stream.on('data', (chunk: Buffer) => { text += chunk.toString() })
  return () => text
}

/** Headers of requests whose answers shall come plain: `fetch` by itself asks for encoded ones. */
export const plainly = { headers: { 'accept-encoding': 'identity' } }

/** Resolves when a process answers at a URL. @throws if the process ends instead, or does not answer in time */
export async function answering (url: string, child: ChildProcess): Promise<void> {
  for (let i = 0; i < 300; i++) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`it ended with ${child.exitCode ?? child.signalCode}`)
    const ok = await fetch(url, plainly).then(async response => {
      await response.arrayBuffer()
      return response.ok
    }, () => false)
    if (ok) return
    await sleep(50)
  }
  throw new Error(`${url} does not answer`)
}

export function median (values: readonly number[]): number {
  return quantile(values, 0.5)
}

export function quantile (values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const place = (sorted.length - 1) * share
  const [below, above] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!]
  return below + (above - below) * (place - Math.floor(place))
}
