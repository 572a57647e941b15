import t from 'tap'
import { storm } from '../../bench/cache-storm-run.ts'
import { needsRedis } from '../support/redis-server.ts'

// bench/cache-storm.ts is the same at full size, and compares the calls of the provider.
t.test('no list is older than its user\'s last event, and no request fails, while processes pause, listeners are cut and Redis restarts', needsRedis, async t => {
  const { failed, violations, pauses, cuts } = await storm({
    reads: 2_400, events: 480, users: 200, clients: 24, seed: 5, disturbed: true, restarts: ['with its data', 'without its data']
  })
  t.strictSame(violations, [])
  t.strictSame(failed, [])
  t.comment(`${pauses} pauses, ${cuts} cuts`)
})
