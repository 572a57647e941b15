import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createKey, type ApiKey } from '../../src/security/api-keys.ts'
import { fileSource } from '../../src/config/file-source.ts'
import { followKeys } from '../../src/security/key-sources.ts'
import { secretKeys } from '../../src/security/secret-keys.ts'
import { startAws } from '../support/aws.ts'
import { eventually } from '../support/eventually.ts'
import { startGateway } from '../support/gateway.ts'

const path = '/recommend-items/store/for-you/user-1'
// The directory of the file, which is not that of a test, where the gateway has its own.
const directory = t.testdir({})
const linesOf = (...records: ApiKey[]): string => records.map(record => `${JSON.stringify(record)}\n`).join('')

t.test('key rotation: a changed file brings keys in and ends keys, without a restart and without a failed request', async t => {
  const [old, next] = [createKey({ scopes: ['read'] }), createKey({ scopes: ['read'] })]
  const file = join(directory, 'keys.jsonl')
  writeFileSync(file, linesOf(old.record))
  const { app } = await startGateway(t, undefined, { authentication: { schemes: ['api-key'], keySources: [fileSource(file, 20)] } })
  const statusOf = async (key: string): Promise<number> => (await app.inject({ url: path, headers: { 'x-api-key': key } })).statusCode
  t.strictSame([await statusOf(old.key), await statusOf(next.key)], [200, 401])

  writeFileSync(file, linesOf(old.record, next.record))
  await eventually('the new key is valid', async () => {
    t.equal(await statusOf(old.key), 200, 'the old key never fails')
    return await statusOf(next.key) === 200
  })
  for (const bad of ['', 'nonsense', '[]', `${JSON.stringify(next.record)}\n{"id":`]) {
    writeFileSync(file, bad)
    // Ten polls of the file.
    const end = performance.now() + 200
    await eventually('the file was polled', async () => {
      t.strictSame([await statusOf(old.key), await statusOf(next.key)], [200, 200], `bad keys replace nothing: ${bad}`)
      return performance.now() > end
    })
  }
  writeFileSync(`${file}.next`, JSON.stringify([next.record]))
  renameSync(`${file}.next`, file)
  await eventually('the old key has ended', async () => {
    t.equal(await statusOf(next.key), 200, 'the new key never fails')
    return await statusOf(old.key) === 401
  })
})

t.test('key rotation: keys of a secret of Secrets Manager are polled', async t => {
  const { aws } = await startAws(t)
  const [old, next] = [createKey({ scopes: ['read'] }), createKey({ scopes: ['read'] })]
  aws.secrets.put('gateway/keys', JSON.stringify([old.record]))
  const { app } = await startGateway(t, undefined, { authentication: { schemes: ['api-key'], keySources: [secretKeys('gateway/keys', 20)] } })
  const statusOf = async (key: string): Promise<number> => (await app.inject({ url: path, headers: { 'x-api-key': key } })).statusCode
  t.strictSame([await statusOf(old.key), await statusOf(next.key)], [200, 401])
  aws.secrets.put('gateway/keys', JSON.stringify([old.record, next.record]))
  await eventually('the new key is valid', async () => await statusOf(next.key) === 200)
  t.equal(await statusOf(old.key), 200)
  aws.secrets.put('gateway/keys', JSON.stringify([next.record]))
  await eventually('the old key has ended', async () => await statusOf(old.key) === 401)
  t.equal(await statusOf(next.key), 200)
})

t.test('key rotation: a source that cannot be read keeps its last keys, and one that never could keeps the gateway from starting', async t => {
  const { record } = createKey({ scopes: ['read'] })
  let text: string | undefined = JSON.stringify(record)
  let change = (): void => {}
  const source = {
    name: 'a source',
    async read () {
      if (text === undefined) throw new Error('away')
      return text
    },
    watch (onChange: () => void) {
      change = onChange
      return () => { change = () => {} }
    }
  }
  const seen: number[] = []
  const errors: Error[] = []
  const end = await followKeys([source], { onKeys: keys => seen.push(keys.length), onError: error => errors.push(error) })
  text = undefined
  change()
  await eventually('the failure is told', () => errors.length === 1)
  t.match(errors[0]!.message, /a source/)
  text = linesOf(record, createKey({ scopes: ['read'] }).record)
  change()
  await eventually('the keys are followed again', () => seen.length === 2)
  t.strictSame(seen, [1, 2])
  end()
  text = undefined
  await t.rejects(followKeys([source], { onKeys () {}, onError () {} }), /a source/)
})
