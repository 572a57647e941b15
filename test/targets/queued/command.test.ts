import t from 'tap'
import { testBody } from '../../support/event-targets.ts'
import { keys } from '../../support/queued.ts'
import { needsRedis, startRedis, type RedisServer } from '../../support/redis-server.ts'
import { finished, run } from '../../support/server-process.ts'

// The tests mostly wait for processes and timeouts of their own.
t.jobs = 3

const deadLetters = async (redisUrl: string, ...args: string[]): Promise<{ code: number | null, output: string }> =>
  finished(run('cli.js', ['events', 'dead-letters', ...args, '--namespace', 'shop', '--target', 'webhook'], { REDIS_URL: redisUrl }))

async function bury (redis: RedisServer, userId: string, eventIds: string[]): Promise<string> {
  return await redis.client.xadd(keys.dead, '*', 'body', JSON.stringify(testBody(eventIds, { userId })), 'reason', 'it refuses them', 'tries', 3, 'time', Date.UTC(2026, 0, 2)) as string
}

t.test('dead letters are listed for people and for programs', needsRedis, async t => {
  const redis = await startRedis(t)
  const ids = [await bury(redis, 'ada\u001b[2J', ['a', 'b']), await bury(redis, 'bob', ['c'])]
  const { code, output } = await deadLetters(redis.url, 'list')
  t.equal(code, 0, output)
  t.match(output, new RegExp(`^2026-01-02T00:00:00.000Z +3 tries +2 events +ada\\\\u001b\\[2J +${ids[0]} +it refuses them$`, 'm'))
  t.match(output, /^2 dead letters were shown$/m)
  const { output: lines } = await deadLetters(redis.url, 'list', '--json', '--limit', '1')
  t.strictSame(JSON.parse(lines), { time: '2026-01-02T00:00:00.000Z', id: ids[0], tries: 3, reason: 'it refuses them', user: 'ada\u001b[2J', events: 2 })
})

t.test('dead letters are sent again or deleted: some or all', needsRedis, async t => {
  const redis = await startRedis(t)
  const ids = [await bury(redis, 'u', ['a']), await bury(redis, 'u', ['b']), await bury(redis, 'u', ['c']), await bury(redis, 'u', ['d'])]
  t.strictSame(await deadLetters(redis.url, 'retry', '--id', ids[1]!, ids[2]!), { code: 0, output: '2 dead letters were put back to be delivered\n' })
  t.strictSame(await deadLetters(redis.url, 'drop', '--all', '--limit', '1'), { code: 0, output: 'one dead letter was deleted\n' })
  t.strictSame((await redis.client.xrange(keys.dead, '-', '+')).map(([id]) => id), [ids[3]])
  const waiting = await redis.client.xrange(keys.waiting, '-', '+')
  t.strictSame(waiting.map(([, [, text]]) => JSON.parse(text!) as unknown), [testBody(['b']), testBody(['c'])])
  t.strictSame(await deadLetters(redis.url, 'retry', '--all'), { code: 0, output: 'one dead letter was put back to be delivered\n' })
})

t.test('what is asked for has to make sense', needsRedis, async t => {
  const redis = await startRedis(t)
  for (const [args, message] of [
    [['drop'], /expected either --id or --all/],
    [['drop', '--all', '--id', '1-1'], /expected either --id or --all/],
    [['retry', '--id', 'x'], /--id: "x" is none; expected/],
    [['list', '--limit', '0'], /expected a number from 1/]
  ] as const) {
    const { code, output } = await deadLetters(redis.url, ...args)
    t.equal(code, 1)
    t.match(output, message)
  }
  t.match(await deadLetters('', 'list'), { code: 1, output: /^REDIS_URL is missing/ })
  await redis.kill()
  t.match(await deadLetters(redis.url, 'list'), { code: 1, output: 'Redis does not answer where REDIS_URL says: ECONNREFUSED\n' })
})
