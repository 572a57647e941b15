import t from 'tap'
import { alone, click, read, startWorkers } from '../support/workers.ts'

t.test('an item that one worker has taken is found by all when it is answered', async t => {
  const { url } = await startWorkers(t, { settings: { inferenceItemMetadata: { type: 'localdb' } } })
  await click(url, 'a', 'cup')
  for (let v = 1; v <= 10; v++) {
    const body = JSON.stringify({ items: [{ itemId: 'cup', properties: { v } }] })
    const { status } = await fetch(`${url}/items/shop`, { method: 'POST', headers: { ...alone, 'content-type': 'application/json' }, body })
    t.equal(status, 200)
    // Each user is new, so that no answer comes from the cache.
    const answers = await Promise.all(Array.from({ length: 9 }, async (_, i) => read(url, `user-${v}-${i}`)))
    t.strictSame(answers.filter(answer => !answer.includes(`"metadata":{"v":${v}}`)), [])
  }
})
