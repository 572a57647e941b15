import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Test } from 'tap'
import { freePort } from '../../bench/free-port.ts'
import { packagedFile } from '../../src/settings.ts'
import { eventually } from './eventually.ts'

export interface ServerProcess {
  url: string
  child: ChildProcess
  /** Returns the process's output so far. */
  output: () => string
  /** Sends a signal and waits for the end; resolves with exit code and signal. */
  end: (signal: NodeJS.Signals) => Promise<[number | null, NodeJS.Signals | null]>
}

/**
 * Runs a file of the build with the same Node.js, as a user would. `npm test` builds first. tap puts its own loader into NODE_OPTIONS
 * of whatever a test starts, which costs a process a second; `env` takes it out again.
 */
export function run (file: string, args: string[], environment: Record<string, string>): ChildProcess {
  return spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, packagedFile(`dist/src/${file}`), ...args], {
    env: { PATH: process.env['PATH'], LOG_LEVEL: 'warn', ...environment },
    stdio: ['ignore', 'pipe', 'pipe']
  })
}

/** Resolves with a process's output and exit code when it has ended. */
export async function finished (child: ChildProcess): Promise<{ code: number | null, output: string }> {
  const output = collect(child)
  const [code] = await once(child, 'close') as [number | null]
  return { code, output: output() }
}

/** Starts a gateway and waits until it is ready. It ends with the test. */
export async function startServer (t: Test, environment: Record<string, string>): Promise<ServerProcess> {
  const port = await freePort()
  const child = run('server.js', [], { PORT: String(port), HOST: '127.0.0.1', ...environment })
  const output = collect(child)
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const url = `http://127.0.0.1:${port}`
  await eventually('the server is ready', async () => {
    if (child.exitCode !== null) throw new Error(`the server ended: ${output()}`)
    return fetch(`${url}/health/ready`).then(({ ok }) => ok, () => false)
  }, 20_000)
  return {
    url,
    child,
    output,
    end: async signal => {
      child.kill(signal)
      return ended
    }
  }
}

function collect (child: ChildProcess): () => string {
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream!.on('data', (chunk: Buffer) => { text += chunk.toString() })
  return () => text
}
