import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { eventually } from '../../support/eventually.ts'
import { startEventServer } from '../../support/flaky-events.ts'
import { startGateway } from '../../support/gateway.ts'
import { finished, run } from '../../support/server-process.ts'

function eventsFile (t: Test, count: number, directory = t.testdir()): string {
  const lines = Array.from({ length: count }, (_, i) => JSON.stringify({ userId: `u${i % 97}`, sessionId: 's', eventType: 'view', itemId: `item-${i % 5}`, sentAt: 1_700_000_000 + i }))
  const file = join(directory, 'events.jsonl')
  writeFileSync(file, `${lines.join('\n')}\n`)
  return file
}

const command = (file: string, url: string, ...more: string[]): string[] => ['events', 'replay', file, '--namespace', 'store', '--url', url, ...more]

t.test('a file reaches a gateway; sent again it counts once', async t => {
  const { app, dataDir } = await startGateway(t)
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const file = eventsFile(t, 2_000, dataDir)
  t.match(await finished(run('cli.js', command(file, `${url}/`), {})), { code: 0, output: `2000 lines of ${file} are delivered` })
  const ratings = async (): Promise<unknown> => (await app.inject('/recommend-items/store/for-you/nobody')).json()
  const before = await ratings()
  t.match(before, { itemList: [{ itemId: /^item-/ }] })
  const sent = app.resources.eventStats.of('store', 'embedded')
  t.match(sent, { delivered: 2_000, failed: 0 })
  t.match(await finished(run('cli.js', command(file, url), {})), { code: 0 })
  t.equal(sent.delivered, 2_000)
  t.same(await ratings(), before)
})

t.test('what is rejected is told, and the command ends with 1', async t => {
  const { app, dataDir } = await startGateway(t)
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const file = join(dataDir, 'events.jsonl')
  writeFileSync(file, '{"userId":"a","eventType":"view","itemId":"cup"}\n{"userId":"b","eventTyp":"view"}\nnonsense\n')
  const { code, output } = await finished(run('cli.js', command(file, url), {}))
  t.equal(code, 1)
  t.match(output, `one line of ${file} is delivered`)
  t.match(output, `2 lines were rejected; ${file}.rejected.jsonl says why`)
  t.match(readFileSync(`${file}.rejected.jsonl`, 'utf8'), 'body/eventList/0/eventType: is missing')
})

t.test('headers that are given are sent along, and no others are', async t => {
  const server = await startEventServer(t)
  server.intercept = (_bodies, _url, headers) => headers['x-api-key'] === 'secret' ? undefined : { status: 401, body: { code: 'No', message: 'no key' } }
  const file = eventsFile(t, 1)
  t.match(await finished(run('cli.js', command(file, server.url), {})), { code: 1, output: 'the gateway refuses the events: 401 No no key' })
  t.match(await finished(run('cli.js', command(file, server.url, '--header', 'X-Api-Key: secret'), {})), { code: 0 })
})

t.test('killed in the middle, it goes on: all arrives, in order, and nothing counts twice', async t => {
  const server = await startEventServer(t)
  const file = eventsFile(t, 30_000)
  let begun: number | undefined
  // The position is saved once a second: from the middle on nothing goes faster than that.
  server.intercept = async () => {
    const since = begun ??= performance.now()
    if (server.taken.length < 5_000) return
    await eventually('a second is over', () => performance.now() - since > 1_000)
    if (existsSync(`${file}.position`)) await ended
  }
  const child = run('cli.js', command(file, server.url, '--concurrency', '2'), {})
  const ended = once(child, 'close')
  await eventually('there is a position', () => existsSync(`${file}.position`), 20_000)
  child.kill('SIGKILL')
  await ended
  const { line } = JSON.parse(readFileSync(`${file}.position`, 'utf8')) as { line: number }
  t.ok(line > 0 && line < 30_000, String(line))
  server.intercept = () => undefined
  t.match(await finished(run('cli.js', command(file, server.url), {})), { code: 0, output: new RegExp(`^30000 lines .* behind line ${line}`, 'm') })
  t.equal(server.taken.length, 30_000)
  const last = new Map<string, number>()
  for (const { userId, eventList: [event] } of server.taken) {
    const sentAt = Number(event!['sentAt'])
    if (sentAt < (last.get(userId!) ?? 0)) t.fail(`${userId} at ${sentAt}`)
    last.set(userId!, sentAt)
  }
  t.notOk(existsSync(`${file}.position`))
})

t.test('interrupted, it says how to go on and ends with 130', async t => {
  const server = await startEventServer(t)
  const file = eventsFile(t, 20_000)
  const child = run('cli.js', command(file, server.url), {})
  server.intercept = () => { if (server.taken.length >= 2_000 && !child.killed) child.kill('SIGINT') }
  t.match(await finished(child), { code: 130, output: /stopped: all lines up to \d+ are done; the same command goes on from there, --from-start begins anew/ })
  server.intercept = () => undefined
  t.match(await finished(run('cli.js', command(file, server.url), {})), { code: 0 })
  t.equal(server.taken.length, 20_000)
})

t.test('mistakes in the command are told', async t => {
  const told = async (...args: string[]): Promise<string> => (await finished(run('cli.js', ['events', 'replay', 'x.jsonl', '--namespace', 'a', ...args], {}))).output
  t.match(await told(), '--url')
  t.match(await told('--url', 'ftp://x'), 'expected a URL')
  t.match(await told('--url', 'http://x?tenant=a'), 'without "?" and "#"')
  t.match(await told('--url', 'http://x', '--concurrency', '17'), 'an integer from 1 to 16')
  t.match(await told('--url', 'http://x', '--header', 'nonsense'), 'expected lines of "Name: value"')
  t.match(await told('--url', 'http://x'), /ENOENT/)
})

t.test('a header that no request can have ends the run at once', async t => {
  const server = await startEventServer(t)
  t.match(await finished(run('cli.js', command(eventsFile(t, 1), server.url, '--header', 'X-Tenant: \u2603'), {})), { code: 1, output: 'the events cannot be sent' })
})
