import { get } from 'node:http'
import t from 'tap'
import { eventually } from '../support/eventually.ts'
import { listenersIn, startWorkers } from '../support/workers.ts'

/** Asks over a new connection. Resolves with the status, or when the connection ends without an answer. */
async function ask (url: string): Promise<number | 'cut' | undefined> {
  return new Promise(resolve => {
    get(url, { agent: false }, response => { resolve(response.resume().statusCode) }).on('error', () => { resolve('cut') })
  })
}

t.test('a connection that a worker was being handed when it was killed ends, and the log names the signal', async t => {
  const { url, output } = await startWorkers(t)
  const kills = 5
  const killed: number[] = []
  const serving = (): number[] => listenersIn(output()).filter(pid => !killed.includes(pid))
  for (let i = 0; i < kills; i++) {
    await eventually('others can serve', () => serving().length > 1, 20_000)
    const [worker] = serving()
    // While it stands still, it confirms nothing. All three get connections in turn.
    process.kill(worker!, 'SIGSTOP')
    let ended = 0
    const requests = Array.from({ length: 6 }, async () => ask(`${url}/health/live`).finally(() => { ended++ }))
    await eventually('the others have answered', () => ended === 5, 20_000)
    process.kill(worker!, 'SIGKILL')
    killed.push(worker!)
    await eventually('the last one ends, too', () => ended === 6, 20_000)
    t.strictSame((await Promise.all(requests)).sort(), [200, 200, 200, 200, 200, 'cut'])
  }
  await eventually('every kill is logged', () => output().split('\n').filter(line => line.includes('a worker is lost')).length === kills)
  for (const line of output().split('\n').filter(line => line.includes('a worker is lost'))) {
    const { worker, signal } = JSON.parse(line) as { worker: number, signal: string }
    t.strictSame([killed.includes(worker), signal], [true, 'SIGKILL'])
    const keys = [...line.matchAll(/"(\w+)":/g)].map(([, key]) => key)
    t.equal(new Set(keys).size, keys.length, `each key once: ${line}`)
  }
})
