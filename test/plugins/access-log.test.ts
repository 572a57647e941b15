import { Writable } from 'node:stream'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import type { AccessLog } from '../../plugins/access-log.ts'
import { startGateway, storeConfig } from '../support/gateway.ts'

/** What is logged of a hundred good requests and two bad ones: the statuses of its lines. */
async function logged (t: Test, accessLog: AccessLog): Promise<number[]> {
  const lines: string[] = []
  const stream = new Writable({
    write (chunk: Buffer, _encoding, done) {
      lines.push(...chunk.toString().trim().split('\n'))
      done()
    }
  })
  const { app } = await startGateway(t, storeConfig, { accessLog, logger: pino({ level: 'info' }, stream) })
  for (let i = 0; i < 100; i++) await app.inject('/recommend-items/store/for-you/secret-user')
  await app.inject('/recommend-items/store/for-you/secret-user?numResults=0')
  await app.inject('/recommend-items/store/none/secret-user')
  t.notMatch(lines.join(), 'secret-user', 'no line names a user')
  return lines.map(line => JSON.parse(line) as { msg: string, status: number }).filter(({ msg }) => msg === 'request').map(({ status }) => status)
}

t.test('all requests get a line', async t => {
  t.equal((await logged(t, 'all')).length, 102)
})

t.test('or those that are errors', async t => {
  t.strictSame(await logged(t, 'errors'), [400, 404])
})

t.test('or a sample, and those that are errors', async t => {
  const statuses = await logged(t, 'sample')
  t.strictSame(statuses.filter(status => status !== 200), [400, 404])
  t.ok(statuses.length < 30, `${statuses.length} of 102`)
})
