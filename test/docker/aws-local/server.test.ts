import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import t from 'tap'
import { packagedFile } from '../../../src/settings.ts'

t.test('listens where it is told to, and ends at once on a signal', async t => {
  const server = spawn(process.execPath, [packagedFile('dist/docker/aws-local/server.js')], {
    env: { ...process.env, PORT: '0', HOST: '127.0.0.1' },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  t.teardown(() => server.kill('SIGKILL'))
  let url: string | undefined
  for await (const line of createInterface(server.stdout)) {
    url = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0]
    if (url !== undefined) break
  }
  const response = await fetch(`${url}/_aws-local/health`)
  t.equal(response.status, 200)
  await response.text()
  server.kill('SIGTERM')
  t.strictSame(await once(server, 'exit'), [0, null])
})
