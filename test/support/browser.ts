import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { once } from 'node:events'
import type { Test } from 'tap'
import { WebSocket } from 'undici'

/** Where systems install Chromium. */
export const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(file => existsSync(file))

export interface Page {
  /** Evaluates an expression in the page; awaits a promise. */
  evaluate: (expression: string) => Promise<unknown>
  /** The errors on the console, and those of the Content-Security-Policy. */
  errors: string[]
}

interface Told {
  id?: number
  method?: string
  sessionId?: string
  params?: { entry?: { level: string, text: string }, type?: string, args?: unknown[], exceptionDetails?: unknown }
  result?: Record<string, unknown>
}

/** Opens a page in a Chromium of its own, which ends with the test, by its debugging protocol. */
export async function openPage (t: Test, url: string): Promise<Page> {
  // Not the directory of the test, where a gateway has its data.
  const profile = await mkdtemp(join(tmpdir(), 'gateway-browser-'))
  const child = spawn(chromium!, ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank'], { stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
    await rm(profile, { recursive: true, force: true, maxRetries: 5 })
  })
  let address = ''
  for await (const line of createInterface(child.stderr)) {
    address = /listening on (ws:\S+)/.exec(line)?.[1] ?? ''
    if (address !== '') break
  }
  child.stderr.resume()
  const socket = new WebSocket(address)
  await new Promise(resolve => { socket.addEventListener('open', resolve) })
  t.teardown(() => { socket.close() })

  const errors: string[] = []
  const waiting = new Map<number, (result: Record<string, unknown>) => void>()
  socket.addEventListener('message', ({ data }) => {
    const { id, method, params, result = {} } = JSON.parse(String(data)) as Told
    if (id !== undefined) waiting.get(id)?.(result)
    else if (method === 'Log.entryAdded' && params?.entry?.level === 'error') errors.push(params.entry.text)
    else if (method === 'Runtime.exceptionThrown' || (method === 'Runtime.consoleAPICalled' && params?.type === 'error')) errors.push(JSON.stringify(params))
  })
  const session: { sessionId?: unknown } = {}
  let sent = 0
  const send = async (method: string, params: object = {}): Promise<Record<string, unknown>> => new Promise(resolve => {
    waiting.set(++sent, resolve)
    socket.send(JSON.stringify({ id: sent, method, params, ...session }))
  })

  const { targetId } = await send('Target.createTarget', { url: 'about:blank' })
  session.sessionId = (await send('Target.attachToTarget', { targetId, flatten: true }))['sessionId']
  for (const domain of ['Page', 'Runtime', 'Log']) await send(`${domain}.enable`)
  await send('Page.navigate', { url })
  return {
    errors,
    async evaluate (expression) {
      const { result, exceptionDetails } = await send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true }) as { result: { value?: unknown }, exceptionDetails?: unknown }
      if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails))
      return result.value
    }
  }
}
