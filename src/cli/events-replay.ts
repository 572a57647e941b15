import { Command, InvalidArgumentError } from 'commander'
import { replay, type ReplayResult } from './replay/replay.ts'
import { headerProblems } from '../base/http-headers.ts'
import { leanHeap } from '../base/lean-heap.ts'
import { UserError } from '../base/user-error.ts'
import { readHeaders } from './headers.ts'
import { namespaceOption } from './namespace.ts'
import { startProgress } from './progress.ts'

interface ReplayCommandOptions {
  namespace: string
  url: string
  concurrency: number
  header: string[]
  fromStart?: boolean
}

/** The exit code of an interrupted process, by the convention of shells: 128 and the number of the signal. */
const interrupted = 130

export function replayCommand (): Command {
  return new Command('replay')
    .description('send events to a gateway: a file of JSON Lines, compressed (.gz) or not, each line a body as POST /events takes it, or an event')
    .argument('<file>')
    .addOption(namespaceOption())
    .requiredOption('--url <url>', 'of the gateway, such as http://localhost:8080', urlOption)
    .option('--concurrency <number>', 'requests at once, 1 to 16', concurrencyOption, 4)
    .option('--header <line>', '"Name: value", sent with each request; may be repeated', (line: string, lines: string[]) => [...lines, line], [])
    .option('--from-start', 'begin anew where an earlier run was stopped')
    .action(replayFile)
}

async function replayFile (file: string, { header, ...options }: ReplayCommandOptions): Promise<void> {
  leanHeap()
  const headers = readHeaders(header.join('\n'), '--header')
  const [problem] = headerProblems(headers)
  if (problem !== undefined) throw new UserError(`--header: ${problem.key.replace('headers/', '')} ${problem.message}`)
  const controller = new AbortController()
  // A second SIGINT ends the process at once.
  process.once('SIGINT', () => { controller.abort() })
  const progress = startProgress('sending events')
  const started = performance.now()
  try {
    const result = await replay({ ...options, file, headers, signal: controller.signal, onProgress: progress.update })
    progress.stop()
    report(file, result, (performance.now() - started) / 1000)
  } catch (error) {
    progress.stop()
    if (error instanceof UserError) console.error('The same command does not send again what was delivered.')
    throw error
  }
}

function report (file: string, { delivered, rejected, line, from, stopped, rejectedFile }: ReplayResult, seconds: number): void {
  const since = from > 0 ? `, counted from the first run on (this one went on behind line ${from})` : ''
  console.log(`${delivered === 1 ? `one line of ${file} is` : `${delivered} lines of ${file} are`} delivered${since} (${seconds.toFixed(1)} s)`)
  if (rejected > 0) console.error(`${rejected === 1 ? 'one line was' : `${rejected} lines were`} rejected; ${rejectedFile} says why`)
  if (stopped) console.error(`stopped: all lines up to ${line} are done; the same command goes on from there, --from-start begins anew`)
  if (stopped) process.exitCode = interrupted
  else if (rejected > 0) process.exitCode = 1
}

function urlOption (text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) throw new InvalidArgumentError('expected a URL that begins with http:// or https://.')
  if (url.username !== '' || url.password !== '') throw new InvalidArgumentError('must not hold credentials; expected them in --header.')
  if (/[?#]/.test(text)) throw new InvalidArgumentError('expected a URL without "?" and "#".')
  return text.replace(/\/+$/, '')
}

function concurrencyOption (text: string): number {
  if (!/^\d{1,2}$/.test(text) || Number(text) < 1 || Number(text) > 16) throw new InvalidArgumentError('expected an integer from 1 to 16.')
  return Number(text)
}
