import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import t from 'tap'
import { packagedFile } from '../src/settings.ts'
import { finished } from './support/server-process.ts'

const hasNginx = ['/usr/sbin/nginx', '/usr/bin/nginx'].some(file => existsSync(file))

t.test('restarts: SIGTERM behind nginx with two instances fails no request', { skip: hasNginx || process.env['CI'] === 'true' ? false : 'there is no nginx' }, async t => {
  const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, packagedFile('dist/bench/restarts.js'), '--times', '1', '--rate', '100', '--drain', '1'], { stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => child.kill('SIGTERM'))
  const { code, output } = await finished(child)
  t.match(output, /^1 restarts: \d+ requests answered, 0 failed/m)
  t.equal(code, 0, output)
})
