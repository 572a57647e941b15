import t from 'tap'
import { authorization, rpc, start } from './start.ts'

const { aws, url } = await start(t)
t.afterEach(() => {
  aws.behaviours.reset()
  aws.requests.forget()
})

const control = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<{ status: number, body: unknown }> => {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const response = await fetch(`${url}/_aws-local${path}`, { method, headers, ...(body !== undefined && { body: text }) })
  const answer = await response.text()
  return { status: response.status, body: answer === '' ? undefined : JSON.parse(answer) }
}
const done = { status: 204, body: undefined }
const getSecret = async (SecretId: string): ReturnType<typeof rpc> => rpc(url, 'secretsmanager.GetSecretValue', { SecretId })
const ask = async (path: string, body: unknown, headers: Record<string, string> = { authorization }): Promise<Response> =>
  fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) })

t.test('says which services there are', async t => {
  const services = [
    'personalize-runtime', 'personalize-events', 'personalize', 'sagemaker-runtime', 'lambda', 'firehose', 'kinesis', 'appconfigdata', 'evidently', 'secretsmanager'
  ]
  t.strictSame(await control('GET', '/health'), { status: 200, body: { services } })
})

t.test('sets and resets a behaviour', async t => {
  aws.secrets.put('a', 'text')
  t.match(await control('PUT', '/behaviour/secretsmanager', { failure: '500' }), done)
  t.match(await getSecret('a'), { status: 500, body: { __type: 'com.amazonaws.secretsmanager#InternalServiceError' } })
  t.match(await control('DELETE', '/behaviour/secretsmanager'), done)
  t.match(await getSecret('a'), { status: 200 })
  aws.behaviours.set('secretsmanager', { failure: '500' })
  t.match(await control('DELETE', '/behaviour'), done)
  t.match(await getSecret('a'), { status: 200 })
})

t.test('refuses a behaviour that there is not', async t => {
  t.match(await control('PUT', '/behaviour/s3', {}), { status: 400, body: { message: /there is no service "s3"/ } })
  t.match(await control('DELETE', '/behaviour/s3'), { status: 400 })
  t.match(await control('PUT', '/behaviour/lambda', { failure: 'flood' }), { status: 400, body: { message: /^1 validation error detected: failure/ } })
  t.match(await control('PUT', '/behaviour/lambda', { throttleShare: 2 }), { status: 400 })
  t.match(await control('PUT', '/behaviour/lambda', { delay: 2 }), { status: 400 })
  t.match(await control('PUT', '/behaviour/lambda', 'flood'), { status: 400 })
})

t.test('lists what was received, until told to forget', async t => {
  await getSecret('a')
  await ask('/events', { sessionId: 's' })
  const { body } = await control('GET', '/requests') as { body: { requests: unknown[] } }
  t.match(body.requests, [
    { service: 'secretsmanager', operation: 'GetSecretValue', method: 'POST', path: '/', headers: { 'x-amz-target': 'secretsmanager.GetSecretValue' }, body: { SecretId: 'a' } },
    { service: 'personalize-events', operation: 'POST /events', path: '/events', body: { sessionId: 's' } }
  ])
  t.match(await control('GET', '/requests?service=lambda'), { body: { requests: [] } })
  t.match(await control('DELETE', '/requests'), done)
  t.match(await control('GET', '/requests'), { body: { requests: [] } })
})

t.test('keeps the newest thousand of a service', async t => {
  const put = async (number: number): Promise<string> => (await ask('/events', { number })).text()
  for (let i = 0; i < 1010; i += 101) await Promise.all(Array.from({ length: 101 }, async (_, j) => put(i + j)))
  const requests = aws.requests.of('personalize-events')
  t.equal(requests.length, 1000)
  t.ok((requests[0]!.body as { number: number }).number > 0)
})

t.test('puts secrets, configurations, features and worlds', async t => {
  t.match(await control('PUT', '/secrets/gateway/keys', 'text'), done)
  t.match(await getSecret('gateway/keys'), { body: { SecretString: 'text' } })
  t.match(await control('PUT', '/configurations/a/e/p', { version: '1' }, { 'version-label': 'one', 'content-type': 'application/json' }), done)
  t.match(aws.configurations.get('a', 'e', 'p'), { text: '{"version":"1"}', versionLabel: 'one', contentType: 'application/json' })
  t.match(await control('PUT', '/features/p/f', { variations: [{ name: 'on', value: true }] }), done)
  t.match(aws.features.evaluate('p', 'f', 'user-1'), { variation: { name: 'on' } })
  t.match(await control('PUT', '/features/p/f', { variations: [] }), { status: 400 })
  t.match(await control('PUT', '/world', { datasetGroups: [{ name: 'other' }] }), done)
  t.match(aws.worlds.resources.DatasetGroup, [{ name: 'other' }])
})

t.test('wants a signature', async t => {
  const unsigned = await ask('/events', {}, {})
  t.equal(unsigned.status, 403)
  t.equal(unsigned.headers.get('x-amzn-errortype'), 'MissingAuthenticationTokenException')
  t.strictSame(await unsigned.json(), { message: 'Missing Authentication Token' })
  const bearer = await ask('/events', {}, { authorization: 'Bearer token' })
  t.equal(bearer.headers.get('x-amzn-errortype'), 'IncompleteSignatureException')
})

t.test('knows nothing else', async t => {
  const response = await ask('/buckets', {})
  t.equal(response.status, 404)
  t.match(await response.json(), { message: 'there is nothing at POST /buckets' })
  t.match(await rpc(url, 'DynamoDB_20120810.BatchGetItem', {}), { status: 404 })
  t.match(await control('GET', '/other'), { status: 404 })
  const plain = await ask('/', {}, { authorization, 'x-amz-target': 'secretsmanager.GetSecretValue', 'content-type': 'text/plain' })
  t.match(await plain.json(), { __type: 'com.amazonaws.secretsmanager#SerializationException' })
})

t.test('takes no more than it can hold', async t => {
  const response = await ask('/events', 'x'.repeat(17 * 1024 * 1024))
  t.equal(response.status, 413)
})
