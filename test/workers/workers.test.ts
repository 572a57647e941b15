import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { eventually } from '../support/eventually.ts'
import { finished, run } from '../support/server-process.ts'
import { alone, click, pidsIn, read, startWorkers } from '../support/workers.ts'

t.test('whichever worker took an event, all have learned from it and none serves what was made before', async t => {
  const { url, output } = await startWorkers(t)
  for (const [user, items] of Object.entries({ a: ['x', 'y', 'z'], b: ['x', 'y', 'w'], c: ['y', 'v'] })) {
    for (const item of items) await click(url, user, item)
  }
  for (const item of ['x', 'y', 'v', 'w', 'z']) {
    await click(url, 'me', item)
    const answers = await Promise.all(Array.from({ length: 9 }, async () => read(url, 'me')))
    t.equal(new Set(answers).size, 1, `all say the same after ${item}: ${answers[0]!}`)
    t.notMatch(answers[0], `"${item}"`, 'and leave out what was just seen')
  }
  await eventually('all three workers had requests', () => pidsIn(output()).length === 3)
  const metrics = await (await fetch(`${url}/metrics`, { headers: alone })).text()
  const lookups = [...metrics.matchAll(/^gateway_cache_answers_total\{outcome="[\w-]+"\} (\d+)$/gm)].map(([, count]) => Number(count))
  t.equal(lookups.reduce((sum, count) => sum + count, 0), 45, 'what is counted is counted over all workers')
})

t.test('a worker that is lost is replaced, the others serve on, and a signal ends them all', async t => {
  const { url, output, end } = await startWorkers(t, { others: 40 })
  // Where the only one that listens yet is lost, nobody does until the next one is there. None takes a request before it can serve.
  await eventually('all three workers serve', async () => {
    await read(url, 'me')
    return pidsIn(output()).length === 3
  }, 20_000)
  process.kill(pidsIn(output())[0]!, 'SIGKILL')
  await eventually('it is noticed', () => output().includes('a worker is lost'))
  for (let i = 0; i < 20; i++) await read(url, `user-${i}`)
  await eventually('another takes its place', async () => {
    await read(url, 'me')
    return pidsIn(output()).length >= 4
  }, 20_000)
  t.equal((await end('SIGTERM'))[0], 0, output())
  for (const pid of pidsIn(output())) t.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
})

t.test('a configuration that cannot be used ends all with 1', async t => {
  const dataDir = t.testdir({})
  const configFile = join(dataDir, 'config.json')
  writeFileSync(configFile, '{"namespaces": 1}')
  const { code, output } = await finished(run('server.js', [], { WORKERS: '2', CONFIG_FILE: configFile, DATA_DIR: dataDir, PORT: '0' }))
  t.equal(code, 1)
  t.match(output, '/namespaces')
})
