import { replay, type ReplayResult } from './replay/replay.ts'
import { leanHeap } from '../base/lean-heap.ts'
import { UserError } from '../base/user-error.ts'
import { readHeaderOptions } from './headers.ts'
import { startProgress } from './progress.ts'

export interface ReplayCommandOptions {
  namespace: string
  url: string
  concurrency: number
  header: string[]
  fromStart?: boolean
}

/** The exit code of an interrupted process, by the convention of shells: 128 and the number of the signal. */
const interrupted = 130

/** Sends the events of a file to a gateway. */
export async function replayFile (file: string, { header, ...options }: ReplayCommandOptions): Promise<void> {
  leanHeap()
  const headers = readHeaderOptions(header)
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
