import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import t, { type Test } from 'tap'
import type { ExperimentReport } from '../../src/experiments/report.ts'
import { startGateway, storeConfig } from '../support/gateway.ts'
import { listen } from '../support/listen.ts'
import { finished, run } from '../support/server-process.ts'

const adminKey = 'an-admin-key-of-a-test'
const embedded = { type: 'embedded' }
const config = {
  ...storeConfig,
  namespaces: {
    shop: {
      recommenders: { 'recommend-items': { home: { variations: { a: embedded, b: embedded }, experiments: { layout: { method: 'weighted', weights: { a: 50, b: 50 }, metrics: { ctr: { event: 'click' } } } } } } },
      eventTargets: [embedded]
    },
    plain: {}
  }
}

const command = async (args: string[], environment: Record<string, string> = {}): Promise<{ code: number | null, output: string }> => finished(run('cli.js', ['experiments', 'report', ...args], environment))

async function start (t: Test, basePath = ''): Promise<string> {
  const { app } = await startGateway(t, config, { adminKey, basePath, authentication: {} })
  for (const user of ['ann', 'bob', 'cat']) await app.inject(`${basePath}/recommend-items/shop/home/${user}`)
  await app.experiments.exposures.settled()
  return `${await app.listen({ port: 0, host: '127.0.0.1' })}${basePath}`
}

t.test('experiments report: the command prints a table, for a namespace or for all, with the key of ADMIN_KEY', async t => {
  const url = await start(t)
  for (const more of [[], ['--namespace', 'shop']]) {
    t.match(await command(['--url', url, ...more], { ADMIN_KEY: adminKey }), { code: 0, output: /^shop\/recommend-items\/home\/layout: weighted, 3 users\n {2}metric .*\n {2}ctr {5}a / }, more.join(' '))
  }
  t.match(await command(['--url', url, '--namespace', 'plain'], { ADMIN_KEY: adminKey }), { code: 0, output: 'there are no experiments in "plain"' })
})

t.test('experiments report: --json prints what the route answers, and --header brings a key', async t => {
  const url = await start(t, '/prod')
  const { code, output } = await command(['--url', url, '--json', '--header', `X-Api-Key: ${adminKey}`], { ADMIN_KEY: 'not the key of this one'.replaceAll(' ', '-') })
  t.equal(code, 0, output)
  t.match(JSON.parse(output) as ExperimentReport[], [{ id: 'shop/recommend-items/home/layout', users: 3 }])
})

t.test('experiments report: the command ends with 1 and the reason', async t => {
  const url = await start(t)
  t.match(await command(['--url', url]), { code: 1, output: /401 Unauthorized.*set ADMIN_KEY/ })
  t.match(await command(['--url', url, '--namespace', 'nope'], { ADMIN_KEY: adminKey }), { code: 1, output: /404 NamespaceNotFound/ })
  t.match(await command(['--url', `${url}/nowhere`], { ADMIN_KEY: adminKey }), { code: 1, output: /404 RouteNotFound/ })
  t.match(await command([]), { code: 1, output: /--url/ })
  t.match(await command(['--url', url, '--header', 'nonsense']), { code: 1, output: /--header/ })
})

t.test('experiments report: a key goes to no other server, and an answer that is no report is told', async t => {
  const answers: Record<string, (response: ServerResponse) => void> = {
    '/moved/experiments': response => response.writeHead(302, { location: '/elsewhere' }).end(),
    '/page/experiments': response => response.end('<html>'),
    '/null/experiments': response => response.end('null')
  }
  const asked: string[] = []
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    asked.push(request.url!)
    answers[request.url!]?.(response)
  })
  const url = await listen(t, server)
  for (const path of ['moved', 'page', 'null']) t.match(await command(['--url', `${url}/${path}`], { ADMIN_KEY: adminKey }), { code: 1, output: /gives no reports: (302|200)/ })
  t.notOk(asked.includes('/elsewhere'))
})
