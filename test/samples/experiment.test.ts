import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { packagedFile } from '../../src/base/packaged-file.ts'
import { finished, run, startServer } from '../support/server-process.ts'

const ADMIN_KEY = 'an-admin-key-of-a-test'

const visitors = async (url: string, ...more: string[]): Promise<{ code: number | null, output: string }> =>
  finished(spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, packagedFile('dist/samples/visitors.js'), '--url', url, ...more], { stdio: ['ignore', 'pipe', 'pipe'] }))

t.test('the sample store with experiments is valid, without a warning', async t => {
  t.strictSame(await finished(run('cli.js', ['config', 'validate', 'samples/experiment.json'], {})), { code: 0, output: 'samples/experiment.json is a valid configuration\n' })
})

t.test('docs/experiments.md: the walk on the sample store has the results that it shows, and a second run adds nothing', { timeout: 120_000 }, async t => {
  const { url } = await startServer(t, { CONFIG_FILE: 'samples/experiment.json', DATA_DIR: t.testdir(), ADMIN_KEY })
  const documented = readFileSync('docs/experiments.md', 'utf8')
  const report = async (): Promise<string> => (await finished(run('cli.js', ['experiments', 'report', '--url', url], { ADMIN_KEY }))).output
  const partOf = (text: string, recommender: string): string => text.split('\n\n').find(part => part.includes(`/${recommender}/`))!.trim()

  for (const count of ['500', '2000']) {
    t.match(await visitors(url, '--visitors', count), { code: 0, output: new RegExp(`^${count} visitors, \\d+ clicks\n$`) })
    const shown = partOf(await report(), 'recommended-for-you')
    t.ok(documented.includes(shown), `docs/experiments.md shows for ${count} visitors:\n${shown}`)
  }
  const before = partOf(await report(), 'recommended-for-you')
  t.match(await visitors(url, '--visitors', '200'), { code: 0 })
  t.equal(partOf(await report(), 'recommended-for-you'), before, 'the same visitors count once')
  t.match(await visitors(url, '--visitors', '800', '--recommender', 'more-for-you'), { code: 0 })
  t.match(partOf(await report(), 'more-for-you'), /clicked: sessions is preferred by [78]\d\.\d % of the users with a difference/)
})

t.test('visitors: what is wrong is told, and no number of visitors is without a bound', async t => {
  t.match(await visitors('http://127.0.0.1:9', '--visitors', '100001'), { code: 1, output: /--visitors: expected a number from 1 to 100000/ })
  t.match(await visitors('http://127.0.0.1:9', '--visitors', '1'), { code: 1, output: /does not answer/ })
})
