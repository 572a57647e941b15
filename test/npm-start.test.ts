import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { freePort } from '../bench/free-port.ts'
import { packagedFile } from '../src/settings.ts'
import { eventually } from './support/eventually.ts'

/** Returns whether a process is there. */
function lives (pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function accepts (port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  const connected = await once(socket, 'connect').then(() => true, () => false)
  socket.destroy()
  return connected
}

for (const workers of ['1', '2']) {
  t.test(`kill -TERM of npm start with WORKERS=${workers} ends the gateway: its process is gone and its port is free`, async t => {
    const port = await freePort()
    const DATA_DIR = t.testdir()
    // tap's loader in NODE_OPTIONS is for tests only.
    const npm = spawn('npm', ['start'], {
      cwd: packagedFile('.'),
      env: { PATH: process.env['PATH'], HOME: DATA_DIR, npm_config_update_notifier: 'false', PORT: String(port), HOST: '127.0.0.1', DATA_DIR, WORKERS: workers },
      stdio: ['ignore', 'pipe', 'pipe']
    })
    let output = ''
    for (const stream of [npm.stdout, npm.stderr]) stream.on('data', (chunk: Buffer) => { output += chunk.toString() })
    // Every process that npm started holds its output open until it ends.
    let isOver = false
    const ended = once(npm, 'close').then(() => { isOver = true })
    const held: number[] = []
    t.teardown(async () => {
      for (const pid of [...held, npm.pid!].filter(lives)) process.kill(pid, 'SIGKILL')
      await ended
    })
    await eventually('the gateway is ready', async () => {
      if (npm.exitCode !== null) throw new Error(`npm start ended: ${output}`)
      return fetch(`http://127.0.0.1:${port}/health/ready`).then(({ ok }) => ok, () => false)
    }, 30_000)
    // The process that holds the data directory, by the name of its socket.
    held.push(...readdirSync(join(DATA_DIR, 'holders')).map(name => Number(/^\d+\.(\d+)\./.exec(name)?.[1])))
    const [gateway, ...others] = held
    t.ok(gateway !== undefined && lives(gateway))
    t.strictSame(others, [])
    t.not(gateway, npm.pid)

    npm.kill('SIGTERM')
    await eventually('all of its processes have ended', () => isOver)
    t.notOk(lives(gateway!), 'the gateway is gone')
    t.notOk(await accepts(port), 'the port is free')
  })
}
